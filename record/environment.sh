# SPDX-License-Identifier: GPL-2.0-or-later
# What a reader of the recording must know of the machine. Writes into the folder $2: environment.txt, pci.txt (the
# configuration space of every PCI function, as lspci -xxxx prints it), dmar.dat (the ACPI table), and appends to notes.txt
# what could not be had. $1: where proc and sys are, normally nothing.
root=$1
out=$2
note() { echo "$1" >> "$out/notes.txt"; }
value() { cat "$1" 2>/dev/null; }
name() { basename "$(readlink "$1" 2>/dev/null)" 2>/dev/null; }
pci=$root/sys/bus/pci/devices

timer_rate() {
	release=$(value "$root/proc/sys/kernel/osrelease")
	for config in "$root/boot/config-$release" "$root/lib/modules/$release/config" "$root/usr/lib/modules/$release/config"; do
		[ -r "$config" ] && sed -n 's/^CONFIG_HZ=//p' "$config" && return
	done
	zcat "$root/proc/config.gz" 2>/dev/null | sed -n 's/^CONFIG_HZ=//p' | grep . && return
	# No configuration at hand: count the ticks of a second.
	first=$(sed -n 's/^jiffies: //p' "$root/proc/timer_list" 2>/dev/null | head -n 1)
	[ -n "$first" ] || return
	sleep 1
	ticks=$(($(sed -n 's/^jiffies: //p' "$root/proc/timer_list" | head -n 1) - first))
	for hz in 100 250 300 1000; do
		[ $((ticks * 100)) -gt $((hz * 85)) ] && [ $((ticks * 100)) -lt $((hz * 118)) ] && echo $hz && return
	done
}

describe() {
	echo "Linux - $(value "$root/proc/sys/kernel/osrelease") $(value "$root/proc/sys/kernel/version") $(uname -m)"
	value "$root/proc/cmdline"
	hz=$(timer_rate)
	if [ -n "$hz" ]; then echo "kernel hz=$hz"; else note "the timer's rate (CONFIG_HZ) is not known: set flush_queue.hz"; fi
	echo "cpus possible=$(value "$root/sys/devices/system/cpu/possible") online=$(value "$root/sys/devices/system/cpu/online")"
	for device in "$pci"/*; do
		[ -e "$device" ] && echo "pci ${device##*/} class=$(value "$device/class") driver=$(name "$device/driver")" \
			"dma_mask=$(value "$device/dma_mask_bits") iommu_group_type=$(value "$device/iommu_group/type")"
	done
	for unit in "$root"/sys/class/iommu/*; do
		for file in cap ecap version domains_used; do
			[ -r "$unit/intel-iommu/$file" ] && echo "${unit##*/} $file=$(value "$unit/intel-iommu/$file")"
		done
	done
	for device in "$pci"/*; do
		[ -e "$device" ] || continue
		bars=$(awk '$3 != "0x0000000000000000" { printf "%s-%s,", $1, $2 }' "$device/resource" 2>/dev/null)
		echo "path $(readlink -f "$device" | sed 's|.*/sys/devices/||') group=$(name "$device/iommu_group") bars=$bars"
		[ -d "$device/p2pmem" ] && echo "p2pmem ${device##*/} size=$(value "$device/p2pmem/size")" \
			"available=$(value "$device/p2pmem/available") published=$(value "$device/p2pmem/published")"
	done
	for group in "$root"/sys/kernel/iommu_groups/*; do
		[ -e "$group" ] || continue
		echo "group ${group##*/} $(ls "$group/devices" | tr '\n' ' ')"
		[ -r "$group/reserved_regions" ] && sed 's/^/  reserved /' "$group/reserved_regions"
	done
	sed -n 's/^ *\([0-9a-f]*-[0-9a-f]* : PCI Bus [0-9a-f]*:00\)$/window \1/p' "$root/proc/iomem" 2>/dev/null
	for disk in "$root"/sys/block/*; do
		[ -e "$disk/device" ] || continue
		echo "disk ${disk##*/} $(readlink -f "$disk" | sed 's|.*/sys/devices/||')"
		for file in max_hw_sectors_kb max_sectors_kb max_segments max_segment_size virt_boundary_mask dma_alignment scheduler \
			nr_requests rq_affinity nomerges logical_block_size; do
			[ -r "$disk/queue/$file" ] && echo "queue $file=$(value "$disk/queue/$file")"
		done
	done
}

kernel_messages() {
	if [ -n "$root" ]; then value "$root/proc/messages"; else dmesg; fi 2>/dev/null |
		grep -i -E 'dmar|iommu|nvme|swiotlb|software io tlb|pci_p2p'
}

describe > "$out/environment.txt"
messages=$(kernel_messages)
if [ -n "$messages" ]; then
	echo "$messages" >> "$out/environment.txt"
else
	note "the kernel's messages of this boot are not there any more (dmesg): the order of IOMMU groups is taken from sysfs"
fi
[ -n "$(ls "$root/sys/class/iommu" 2>/dev/null)" ] ||
	note "no IOMMU is at work (boot with intel_iommu=on or amd_iommu=on, see the firmware's setup): no translation to record"
if [ -r "$root/sys/firmware/acpi/tables/DMAR" ]; then
	cat "$root/sys/firmware/acpi/tables/DMAR" > "$out/dmar.dat"
else
	note "no ACPI table DMAR: not an Intel machine with VT-d, or it is off in the firmware"
fi
for device in "$pci"/*; do
	[ -r "$device/config" ] || continue
	echo "${device##*/} device"
	od -A x -v -t x1 "$device/config" | sed -n 's/^0*\([0-9a-f]*[0-9a-f][0-9a-f]\) \(.*\)/\1: \2/p' | sed 's/:  */: /'
	echo
done > "$out/pci.txt"
