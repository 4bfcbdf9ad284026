"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': '§8: problems have _links; RFC 9457 §4 recommends letters to start with',
    'HF-KEY-DEFAULT': '§5: no form is called default; HAL-FORMS requires this name for a single form',
}
