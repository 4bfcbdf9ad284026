"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': '§8: problems have _links; RFC 9457 §4 recommends to start with a letter',
    'HF-KEY-DEFAULT': '§5: no form is called default; HAL-FORMS requires it of a single one',
}
