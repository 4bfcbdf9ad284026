"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'PROBLEM-EXTENSION-NAME': '§8: a problem has _links, as other documents have',
    'HF-KEY-DEFAULT': '§5: forms have their own names, none is called default',
    'JA-RESOURCE-LINKS': "§6: a resource's links has self only",
    'JA-CREATE-RELATED': '§6: a nonexistent related resource is 404',
    'JA-ERROR-POINTER-VALUE': '§6: source.pointer names a value that is in the request',
}
