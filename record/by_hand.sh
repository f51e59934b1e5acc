#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `dmasim record` does, for a machine without dmasim. As root:
#	sh THIS-FILE DIRECTORY COMMAND...     records while COMMAND runs
#	sh THIS-FILE DIRECTORY                records until Ctrl-C
# The directory is made; `dmasim verify DIRECTORY` and `dmasim replay DIRECTORY` take it on any machine.
set -u
say() { echo "$*" >&2; }
[ $# -ge 1 ] || { say "usage: sh $0 DIRECTORY [COMMAND...]"; exit 2; }
out=$1
shift
[ "$(id -u)" = 0 ] || { say "recording reads the kernel's trace events and needs root"; exit 3; }
[ ! -e "$out" ] || { say "$out exists: choose another directory"; exit 4; }
tracing=/sys/kernel/tracing
[ -e $tracing/README ] || mount -t tracefs tracefs $tracing 2>/dev/null
[ -e $tracing/README ] || tracing=/sys/kernel/debug/tracing
[ -e $tracing/README ] || { say "this kernel has no tracefs"; exit 3; }
mkdir "$out" || exit 4
note() { echo "$1" >> "$out/notes.txt"; }
instance=$tracing/instances/dmasim-$$
group=dmasim_$$
probes=

restore() {
	trap '' INT TERM HUP
	echo 0 > $instance/tracing_on
	echo 0 > $instance/events/enable
	rmdir $instance
	for probe in $probes; do echo "-:$group/$probe" >> $tracing/dynamic_events; done
}
# event SYSTEM NAME: a tracepoint, where this kernel has it
event() { [ ! -e $instance/events/"$1"/"$2"/enable ] || echo 1 > $instance/events/"$1"/"$2"/enable; }
# probe NAME INSTEAD FIRST LAST DEFINITION...: the first definition that this kernel takes, unless the tracepoints INSTEAD are
# there or the release is not one of FIRST to LAST (major * 256 + minor; 0: any)
probe() {
	name=$1 instead=$2 first=$3 last=$4
	shift 4
	[ "$instead" = - ] || [ ! -e $tracing/events/"$instead" ] || return 0
	[ "$release" -ge "$first" ] && { [ "$last" = 0 ] || [ "$release" -le "$last" ]; } || return 0
	for definition in "$@"; do
		# "f:NAME FUNCTION ..." becomes "f:GROUP/NAME FUNCTION ..."
		if (echo "${definition%%:*}:$group/${definition#*:}" >> $tracing/dynamic_events) 2>/dev/null; then
			probes="$probes $name"
			return 0
		fi
	done
}

release=$(uname -r | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1 * 256 + \2/')
release=$((release))
mkdir $instance || exit 3
trap restore EXIT
trap 'exit 130' INT TERM HUP
@SETTINGS@
available=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)
echo $((available / 8 / $(nproc))) > $instance/buffer_size_kb
@EVENTS@
[ -z "$probes" ] || echo 1 > $instance/events/$group/enable
[ -n "$probes" ] || note "no probes: IOVA allocation and the two-step interface do not show"

(
set -- '' "$out"
@ENVIRONMENT@
)

trap : INT
echo 1 > $instance/tracing_on
if [ $# -gt 0 ]; then "$@"; else say "recording; Ctrl-C ends it"; while sleep 1000; do :; done; fi
sleep 0.1
echo 0 > $instance/tracing_on
cat $instance/trace > "$out/recording.trace.txt"
for cpu in $instance/per_cpu/cpu*; do
	lost=$(sed -n 's/^overrun: //p' "$cpu/stats")
	[ "$lost" = 0 ] || { say "${cpu##*/}: $lost events were lost"; note "${cpu##*/}: $lost events were lost"; }
done
if command -v nvme > /dev/null; then
	for drive in /dev/nvme[0-9]*; do
		case $drive in *n*n*) continue ;; esac
		nvme id-ctrl "$drive" | awk '$1 == "mdts" { m = $3 } $1 == "sgls" { s = $3 }
			END { print "drive sgl_supported=" (s ~ /[1-9a-f]$/ ? "yes" : "no"), "sgls=" s, "mdts=" m }' >> "$out/environment.txt"
	done
else
	note "nvme-cli is not installed: drives do not tell their limits; set nvme.mdts and nvme.sgl"
fi
say "recorded into $out"
