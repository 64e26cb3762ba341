"""The commands of `voc`, one file a subject; each puts its own on `voc_lib.cli.app`, which finds them by file name."""
