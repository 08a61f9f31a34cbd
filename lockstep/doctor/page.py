"""The page of the documentation that explains every finding, derived from the catalogue."""

from lockstep.catalogued import sections
from lockstep.doctor.catalogue import CATALOGUE
from lockstep.doctor.codes import Severity, Subject


def page() -> str:
    """Markdown, a section per subject. A test keeps docs/operate/doctor.md equal to it."""
    severities = "\n".join(f"| {severity} | {_MEANS[severity]} |" for severity in Severity)
    return f"""# Doctor

Generated from `lockstep/doctor/catalogue.py` by `lockstep doctor --page docs/operate/doctor.md`.

`lockstep doctor` looks at the installation that runs: its topics beside the registry ([topics](../topics.md)), the log
and the state folded from it, the consumer groups, the brands' configuration, what waits for a person. It only reads.
Each finding says where, what is expected, what was found and what to do. `--json` prints the same for machines.

Run it after an installation, before and after an upgrade of the brokers, and every night: `lockstep doctor || notify`.

| exit code | |
|---|---|
| 0 | well; there may be advice |
| 1 | something stops a rebuild or risks loss |
| 2 | it cannot look: the brokers do not answer, or a setting is wrong |

| severity | |
|---|---|
{severities}

Fuses are not written down anywhere but in the log of the process that holds the partition; the doctor infers them from
dead letters of many keys that stand together where a group stopped.

{sections(Subject, CATALOGUE)}"""


_MEANS = {
    Severity.STOPS_REBUILD: "state could not be made again from the log, now or soon",
    Severity.RISKS_LOSS: "records or orders are lost or left lying, now or at the next mishap",
    Severity.ADVICE: "well without it, better with it",
}
