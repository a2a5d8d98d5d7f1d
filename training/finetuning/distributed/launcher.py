"""accelerate's launcher with a guard: ``python -m training.finetuning.distributed.launcher …``.

The arguments are those of ``accelerate launch``. A launcher on its own would live on, and with it
the processes it started, when the flow that wanted them is killed.
"""

from accelerate.commands.launch import main

from embedded.child import exit_with_parent

if __name__ == "__main__":
    exit_with_parent()
    main()
