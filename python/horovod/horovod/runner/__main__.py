from horovod.runner import run_commandline

run_commandline()
