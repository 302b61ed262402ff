#!/bin/sh
# Gets the Slurm of Debian or Ubuntu for the test that submits a real job (cmd/pfgmgen/slurm_test.go), when it is not there.
# Starts nothing: the test runs the daemons itself, on loopback, with its own configuration.
set -eu

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing() {
	for tool in slurmctld slurmd sbatch munged; do
		PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null 2>&1 || return 0
	done
	return 1
}
missing || exit 0
command -v apt-get >/dev/null 2>&1 || fail "Slurm is missing, and this system has no apt-get. Install slurmctld, slurmd, the Slurm client and MUNGE by hand."
[ "$(id -u)" = 0 ] || fail "Slurm is missing. Install it: sudo apt-get install slurmctld slurmd slurm-client munge"

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge; }
# Packages start their daemons where something can start them; the test has no use for these.
[ -e /usr/sbin/policy-rc.d ] || { trap 'rm -f /usr/sbin/policy-rc.d' EXIT && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d; }
log=$(install 2>&1) || { apt-get update >/dev/null 2>&1 && log=$(install 2>&1); } || fail "apt-get could not install Slurm: $log"
missing && fail "apt-get installed Slurm, but slurmctld, slurmd, sbatch or munged is still missing." || exit 0
