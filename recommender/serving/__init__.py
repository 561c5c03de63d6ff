"""The live model in a web process: numpy only, memory-mapped, shared by all processes of the machine."""
