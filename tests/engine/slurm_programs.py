"""A Slurm of one node for tests: `sbatch`, `squeue` and `scancel` as programs on PATH.

`sbatch` does what Slurm does with a job array: it reads the directives of the script, prints the
job's id, and then runs the script once for each number of the array, with that number in
SLURM_ARRAY_TASK_ID and the output in the file of `--output`.
"""

import os
import sys
from pathlib import Path

SBATCH = """
import os, re, subprocess, sys
from pathlib import Path
jobs_dir = Path({folder!r})
text = Path(sys.argv[-1]).read_text()
options = dict(re.findall(r"^#SBATCH --([\\w-]+)=?(.*)$", text, re.M))
if options["partition"] == "closed":
    sys.exit("sbatch: error: invalid partition specified: closed")
job = str(1000 + len(list(jobs_dir.glob("*.sh"))))
script = jobs_dir / f"{{job}}.sh"
script.write_text(text)
(jobs_dir / f"{{job}}.arguments").write_text(" ".join(sys.argv[1:-1]))
(jobs_dir / f"{{job}}.running").touch()
exported = dict(re.findall(r"(\\w+)=(\\w+)", sys.argv[1].removeprefix("--export=")))
runner = '''
import os, subprocess, sys, time
from pathlib import Path
script, output, last, job = sys.argv[1:]
if os.environ.get("SLURM_STUCK"):
    time.sleep(60)
for number in range(int(last) + 1):
    place = output.replace("%A", job).replace("%a", str(number))
    with open(place, "w") as stream:
        subprocess.run(["bash", script], stdout=stream, stderr=stream,
                       env={{**os.environ, "SLURM_ARRAY_TASK_ID": str(number)}})
Path(script).with_suffix(".running").unlink(missing_ok=True)
'''
last = options["array"].partition("%")[0].partition("-")[2]
subprocess.Popen([sys.executable, "-c", runner, str(script), options["output"], last, job],
                 env={{**os.environ, **exported}}, start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("Submitted batch job", job)
"""
SQUEUE = """
import sys
from pathlib import Path
wanted = next(a for a in sys.argv if a.startswith("--jobs=")).removeprefix("--jobs=").split(",")
print("\\n".join(job for job in wanted if (Path({folder!r}) / f"{{job}}.running").exists()))
"""
SCANCEL = """
import sys
from pathlib import Path
for job in sys.argv[1:]:
    (Path({folder!r}) / f"{{job}}.running").unlink()
    (Path({folder!r}) / f"{{job}}.cancelled").touch()
"""


def install(folder: Path) -> str:
    """Write the programs below `folder`; return a PATH that begins with them."""
    bin_dir = folder / "bin"
    bin_dir.mkdir(parents=True)
    for name, code in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
        path = bin_dir / name
        path.write_text(f"#!{sys.executable}\n{code.format(folder=str(folder))}")
        path.chmod(0o755)
    return f"{bin_dir}{os.pathsep}{os.environ['PATH']}"
