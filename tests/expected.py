"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': '§8: a problem has _links, as other documents have',
    'HF-KEY-DEFAULT': '§5: forms have their own names, none is called default',
}
