"""What `groundwork <command>` does; every command returns the text that it shows.

Modules are imported by `groundwork.cli` when their command runs, so that help needs no libraries.
"""
