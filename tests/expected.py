"""The rules of the conformance kit that Halcyon breaks, each with the clause of its contract."""

EXPECTED: dict[str, str] = {
    'HF-KEY-DEFAULT': '§5: forms have their own names, none is called default',
    'JA-RESOURCE-LINKS': "§6: a resource's links has self only",
    'JA-CREATE-RELATED': '§6: a nonexistent related resource is 404',
    'JA-ERROR-POINTER-VALUE': '§6: source.pointer names a value that is in the request',
    'COND-IF-MATCH': '§9: preconditions are evaluated for every method',
    'PUT-VALIDATOR': '§9: a 200 to PUT has no validator',
    'PUT-RANGE': '§3: PUT with Content-Range is 400',
}
