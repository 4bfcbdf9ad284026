"""The operator's commands: one module per thing that is operated on."""
