"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': 'RFC 9457 §4 recommends names that start with a letter; §8: problems have _links',
    'HF-KEY-DEFAULT': 'HAL-FORMS requires the key default; §5: forms have names of their own, none is default',
}
