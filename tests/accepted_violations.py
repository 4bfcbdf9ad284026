"""The rules of the conformance kit that Halcyon violates on purpose, each with the clause of its contract."""

ACCEPTED_VIOLATIONS: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': '§8: problems have _links; by RFC 9457 §4, names should start with a letter',
    'HF-KEY-DEFAULT': '§5: no form is called default; HAL-FORMS requires this name for a single form',
}
