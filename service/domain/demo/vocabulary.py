"""The words that demo data is made of: names, texts, and goods."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# 100 first names and 100 last names make 10,000 user names.
FIRST_NAMES = _words(
    'stella ada alan amara amir anna anton aroha asha astrid aya basil bela bianca bjorn bruno camila '
    'carla cato chen chidi clara cyrus dalia daniel dara diego dina edda elena elias emeka emil esra eva '
    'fatima felix fiona freya gaia george grace hana hassan hedy henri ida igor ines iris isaac ivan '
    'jamal jana joao jonas josie juno kai karim katya kenji lara leila leo lina linus lucia luis maja '
    'malik margot mateo mei mira moritz nadia naoki nils nina noor olga omar oscar paula pedro petra '
    'priya ravi rosa ruth sami selma soren tariq tessa tomas ulla vera wanda'
)
LAST_NAMES = _words(
    'nova abbott adeyemi ahmed almeida andersen archer baker banerjee bauer becker bell berg bianchi '
    'blake brook bruun carver castro chandra cohen cook costa cruz dahl das diaz dubois eriksen farouk '
    'ferrari fischer fisher flores fontaine fuchs garcia gardner greene gruber haddad hansen haas hill '
    'holm horvat hughes ito ivanov jansen jensen kaya keller khan kim kovacs lang larsen laurent lee '
    'lehto lindgren lopez maier marino mason mbeki mendez meyer miller moreau mori muller nakamura nguyen '
    'novak nowak okafor olsen ortiz park patel perez petrov popov ramos reyes ricci rossi sato schmid '
    'silva singh smith tanaka taylor torres vogel weaver yilmaz'
)
# The profile of a user.
OCCUPATIONS = (
    'Baker', 'Beekeeper', 'Bookbinder', 'Botanist', 'Carpenter', 'Cellist', 'Cook', 'Cyclist', 'Engineer',
    'Gardener', 'Geologist', 'Illustrator', 'Librarian', 'Locksmith', 'Nurse', 'Photographer', 'Physicist',
    'Potter', 'Programmer', 'Sailor', 'Seamstress', 'Student', 'Teacher', 'Translator', 'Violin maker',
)  # fmt: skip
PLACES = (
    'Accra', 'Aarhus', 'Bogotá', 'Brno', 'Cork', 'Córdoba', 'Fès', 'Gdańsk', 'Göteborg', 'Hobart', 'Izmir',
    'Kyoto', 'La Paz', 'Leipzig', 'Lyon', 'Mombasa', 'Montréal', 'Porto', 'Pune', 'São Paulo', 'Tartu',
    'Tromsø', 'Turin', 'Valparaíso', 'Zürich',
)  # fmt: skip
INTERESTS = (
    'Likes long trains.', 'Reads on the tram.', 'Mostly about birds.', 'Opinions my own.',
    'Two cats, one piano.', 'Ask me about rye bread.', 'Here to listen.', 'Still learning.',
    'Early riser, late reader.', 'Plants first.', 'Mends things.', 'Owns too many maps.',
    'Coffee, then words.', '',
)  # fmt: skip
# A post is an opening, news and an ending.
OPENINGS = (
    'At last:', 'Small victory:', 'Well,', 'Good morning,', 'Note to self:', 'Overheard on the tram:',
    'Today I learned:', 'Meanwhile,', 'Breaking news from our street:', 'It turns out that', 'Reminder:',
    'Unpopular opinion:', 'After three tries,', 'My neighbour says', 'Question answered:',
    'For the record,', 'Weekend report:', 'See:', 'Honestly,', 'You were right:',
)  # fmt: skip
NEWS = (
    'the sourdough has risen', 'the swifts are back over the roofs', 'the old bicycle runs again',
    'the library is open on Sundays now', 'tomatoes want more sun than our balcony has',
    'the night train is worth it', 'nobody reads the manual', 'the market has quinces',
    'the choir has found a tenor', 'the bridge is closed until spring',
    'the kettle was the problem all along', 'a walk before work changes everything',
    'the cat has chosen the new chair', 'my first letterpress print is dry',
    'the map is older than the river', 'the ferry leaves at six', 'tea tastes better from the blue cup',
    'the proof was one line long', 'the piano is in tune', 'the fog makes the harbour look painted',
    'chess in the park draws a crowd', 'the bees survived the winter', 'the museum lends umbrellas',
    'this knot holds', 'the soup needed lemon',
)  # fmt: skip
ENDINGS = (
    '', 'Who comes along?', 'Pictures follow.', 'More tomorrow.', 'I could not be happier.',
    'What do you think?', 'Worth the wait.', 'Tell everyone.', 'No further questions.',
    'That was all for today ☕', 'Naïve, I know.', 'See you there!', 'And it rained.', 'Highly recommended.',
    'We shall see.', 'Thank you all!',
)  # fmt: skip
# Stores and their items.
STORE_NAMES = (
    'Corner', 'Harbour', 'Old Mill', 'Blue Door', 'Station', 'Market', 'Lighthouse', 'Riverside', 'Hilltop',
    'Garden', 'Bridge', 'Orchard', 'Cathedral', 'Ferry', 'Tower', 'North', 'South', 'Copper', 'Linden',
    'Fountain',
)  # fmt: skip
STORE_KINDS = (
    'Bakery', 'Bookshop', 'Café', 'Cheese Cellar', 'Clockmaker', 'Delicatessen', 'Flower Stall',
    'Greengrocer', 'Hardware Store', 'Instrument Shop', 'Map Room', 'Paper Shop', 'Seed Store', 'Tea House',
    'Tool Library', 'Wool Shop',
)  # fmt: skip
QUALITIES = (
    'Plain', 'Blue', 'Large', 'Small', 'Oak', 'Brass', 'Striped', 'Second-hand', 'Hand-made', 'Enamelled',
    'Folding', 'Green', 'Heavy', 'Light', 'Painted', 'Travelling', 'Simple', 'Fine', 'Red', 'Antique',
)  # fmt: skip
GOODS = (
    'apron', 'atlas', 'basket', 'blanket', 'bowl', 'bread knife', 'brush', 'candle', 'clock', 'cup',
    'garden fork', 'hand saw', 'kettle', 'lamp', 'linen towel', 'map case', 'notebook', 'pencil box',
    'picture frame', 'rye loaf', 'scissors', 'stool', 'teapot', 'walking stick', 'watering can',
)  # fmt: skip
