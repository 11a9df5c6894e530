"""The lock between machines, as a lease on the branch of the state.

A run pushes its lease, with its plan, before its first write. The push of its state removes both.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from stemctl.core.lease import Lease, lease_json, lease_of, plan_lines, read_lease, run_of
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.errors import LeaseEnded
from stemctl.git.ci_job import job_url
from stemctl.render import commit_message
from stemctl.state.backend import Busy, Lines, state_moved
from stemctl.state.lease_holder import LeaseHolder, Moment
from stemctl.state.state_branch import Files, StateBranch, Tip


class GitLock(Struct):
    """The lease of one server on a state branch."""

    branch: StateBranch

    # seeing

    def refresh(self) -> None:
        """Look at the remote again."""
        self.branch.refresh()

    def use_last_seen(self) -> None:
        """Go by the branch as it was when it was last fetched."""
        self.branch.use_last_seen()

    def lease(self) -> Lease | None:
        """The lease of a run that is on, or died."""
        blob = self.branch.tip.files.get(self.branch.lease_path)
        return read_lease(self.branch.text(blob), self.branch.where) if blob else None

    def is_dead(self) -> bool:
        """Whether the holder of the lease is known to send nothing more."""
        lease = self.lease()
        return lease is not None and lease.has_ended(self.branch.clock(), self.branch.watched_for())

    def leased_run(self) -> Run:
        """The run that holds the lease: each of its requests may have been sent.

        Raises:
            StateError: its plan is damaged.
        """
        branch, lease = self.branch, self.lease()
        assert lease is not None
        blob = branch.tip.files.get(branch.plan_path)
        (content,) = branch.read([blob]) if blob else (b"",)
        return run_of(lease, content, f"{branch.plan_path} on {branch.where}", branch.clock())

    def is_held_by(self, run: str) -> bool:
        """Whether this run still holds the lease; if not, another machine has settled it."""
        lease = self.lease()
        return lease is not None and lease.run == run

    def past_runs(self, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """The records of runs whose ids are wanted, by commit, the latest first.

        An id is that of the message; a commit without one may be any run.
        """

        def wanted(message: str) -> bool:
            run = commit_message.run_of(message)
            return run is None or is_wanted(run)

        return self.branch.versions(self.branch.run_path, wanted)

    # holding

    def acquire(self, run: Run) -> LeaseHolder:
        """Take the lease for a run. The state must be the one that its plan was made from.

        Raises:
            Busy: another run holds the lease.
            StateMoved: the state has changed.
            StateError: the branch cannot be pushed to.
        """
        branch = self.branch
        lease = lease_of(run, branch.clock())
        branch.refresh()

        def make(tip: Tip) -> str:
            if other := self.lease():
                raise Busy(other, branch.where)
            if not _is_planned_from(branch.load_state(), run):
                raise state_moved(branch.where)
            message = commit_message.lease_message(branch.name, lease, renewed=False)
            files: Files = {
                branch.lease_path: lease_json(lease).encode(),
                branch.plan_path: plan_lines(run).encode(errors="surrogatepass"),
            }
            return branch.commit(tip, message, files)

        started = Moment(branch.clock)
        branch.push(make, detached=False)
        return LeaseHolder(lease, started, branch.where, self.renew, self.release)

    def renew(self, lease: Lease) -> None:
        """Push a lease with its new term.

        Raises:
            LeaseEnded: another run holds the lease, or none.
            StateError: the remote does not answer.
        """
        branch = self.branch

        def make(tip: Tip) -> str:
            if not self.is_held_by(lease.run):
                raise LeaseEnded(
                    f"The lease on {branch.where} expired, and another machine took over."
                )
            message = commit_message.lease_message(branch.name, lease, renewed=True)
            return branch.commit(tip, message, {branch.lease_path: lease_json(lease).encode()})

        branch.push(make)

    def finish(self, run: Run, state: State, lines: Lines) -> None:
        """Push the state after a run, with the record of the run, and without its lease.

        Raises:
            StateMoved: another machine has settled the run, or the state has changed.
            StateError: the branch cannot be pushed to.
        """
        branch = self.branch
        last = branch.load_state()
        before, lease_before = branch.state_blobs(), branch.tip.files.get(branch.lease_path)

        def make(tip: Tip) -> str:
            if branch.state_blobs() != before or not self.is_held_by(run.id):
                raise state_moved(branch.where)
            if run.lease is not None and tip.files[branch.lease_path] != lease_before:
                raise state_moved(branch.where)  # the run seemed dead, and has renewed its lease
            since = last.commit if last is not None else None
            message = commit_message.run_message(branch.name, run, since, job_url(branch.environ))
            files = branch.state_files(state)
            files |= {branch.lease_path: None, branch.plan_path: None, branch.run_path: lines()}
            return branch.commit(tip, message, files)

        branch.push(make)
        branch.pack()

    def release(self, run: str) -> None:
        """Give the lease of a run back that changed nothing.

        Raises:
            StateMoved: another machine has settled that run.
        """
        branch = self.branch

        def make(tip: Tip) -> str:
            if not self.is_held_by(run):
                raise state_moved(branch.where)
            message = commit_message.release_message(branch.name, run)
            return branch.commit(tip, message, {branch.lease_path: None, branch.plan_path: None})

        branch.push(make)


def _is_planned_from(state: State | None, run: Run) -> bool:
    """Whether the plan of a run was made from this state."""
    plan = run.plan
    if state is None:
        return not plan.serial
    return (state.lineage, state.serial) == (plan.lineage, plan.serial)
