"""What is true, without HTTP."""
