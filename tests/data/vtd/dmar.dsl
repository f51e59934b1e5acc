/*
 * Intel ACPI Component Architecture
 * AML/ASL+ Disassembler version 20200925 (64-bit version)
 * Copyright (c) 2000 - 2020 Intel Corporation
 * 
 * Disassembly of u.dat
 *
 * ACPI Data Table [DMAR]
 *
 * Format: [HexOffset DecimalOffset ByteLength]  FieldName : FieldValue
 */

[000h 0000   4]                    Signature : "DMAR"    [DMA Remapping table]
[004h 0004   4]                 Table Length : 000000AE
[008h 0008   1]                     Revision : 01
[009h 0009   1]                     Checksum : 5C
[00Ah 0010   6]                       Oem ID : "OEM"
[010h 0016   8]                 Oem Table ID : "BOARD "
[018h 0024   4]                 Oem Revision : 00000002
[01Ch 0028   4]              Asl Compiler ID : "TEST"
[020h 0032   4]        Asl Compiler Revision : 00000001

[024h 0036   1]           Host Address Width : 26
[025h 0037   1]                        Flags : 01
[026h 0038  10]                     Reserved : 00 00 00 00 00 00 00 00 00 00

[030h 0048   2]                Subtable Type : 0000 [Hardware Unit Definition]
[032h 0050   2]                       Length : 0018

[034h 0052   1]                        Flags : 00
[035h 0053   1]                     Reserved : 00
[036h 0054   2]           PCI Segment Number : 0000
[038h 0056   8]        Register Base Address : 00000000FED90000

[040h 0064   1]            Device Scope Type : 01 [PCI Endpoint Device]
[041h 0065   1]                 Entry Length : 08
[042h 0066   2]                     Reserved : 0000
[044h 0068   1]               Enumeration ID : 00
[045h 0069   1]               PCI Bus Number : 00

[046h 0070   2]                     PCI Path : 02,00


[048h 0072   2]                Subtable Type : 0000 [Hardware Unit Definition]
[04Ah 0074   2]                       Length : 0020

[04Ch 0076   1]                        Flags : 01
[04Dh 0077   1]                     Reserved : 00
[04Eh 0078   2]           PCI Segment Number : 0000
[050h 0080   8]        Register Base Address : 00000000FED91000

[058h 0088   1]            Device Scope Type : 03 [IOAPIC Device]
[059h 0089   1]                 Entry Length : 08
[05Ah 0090   2]                     Reserved : 0000
[05Ch 0092   1]               Enumeration ID : 02
[05Dh 0093   1]               PCI Bus Number : F0

[05Eh 0094   2]                     PCI Path : 1F,00


[060h 0096   1]            Device Scope Type : 02 [PCI Bridge Device]
[061h 0097   1]                 Entry Length : 08
[062h 0098   2]                     Reserved : 0000
[064h 0100   1]               Enumeration ID : 00
[065h 0101   1]               PCI Bus Number : 00

[066h 0102   2]                     PCI Path : 01,00


[068h 0104   2]                Subtable Type : 0001 [Reserved Memory Region]
[06Ah 0106   2]                       Length : 0022

[06Ch 0108   2]                     Reserved : 0000
[06Eh 0110   2]           PCI Segment Number : 0000
[070h 0112   8]                 Base Address : 000000007B000000
[078h 0120   8]          End Address (limit) : 000000007B7FFFFF

[080h 0128   1]            Device Scope Type : 01 [PCI Endpoint Device]
[081h 0129   1]                 Entry Length : 0A
[082h 0130   2]                     Reserved : 0000
[084h 0132   1]               Enumeration ID : 00
[085h 0133   1]               PCI Bus Number : 00

[086h 0134   2]                     PCI Path : 14,00

[088h 0136   2]                     PCI Path : 03,01


[08Ah 0138   2]                Subtable Type : 0002 [Root Port ATS Capability]
[08Ch 0140   2]                       Length : 0010

[08Eh 0142   1]                        Flags : 00
[08Fh 0143   1]                     Reserved : 00
[090h 0144   2]           PCI Segment Number : 0000

[092h 0146   1]            Device Scope Type : 02 [PCI Bridge Device]
[093h 0147   1]                 Entry Length : 08
[094h 0148   2]                     Reserved : 0000
[096h 0150   1]               Enumeration ID : 00
[097h 0151   1]               PCI Bus Number : 00

[098h 0152   2]                     PCI Path : 01,00


[09Ah 0154   2]                Subtable Type : 0003 [Remapping Hardware Static Affinity]
[09Ch 0156   2]                       Length : 0014

[09Eh 0158   4]                     Reserved : 00000000
[0A2h 0162   8]                 Base Address : 00000000FED91000
[0AAh 0170   4]             Proximity Domain : 00000001

Raw Table Data: Length 174 (0xAE)

    0000: 44 4D 41 52 AE 00 00 00 01 5C 4F 45 4D 00 00 00  // DMAR.....\OEM...
    0010: 42 4F 41 52 44 20 00 00 02 00 00 00 54 45 53 54  // BOARD ......TEST
    0020: 01 00 00 00 26 01 00 00 00 00 00 00 00 00 00 00  // ....&...........
    0030: 00 00 18 00 00 00 00 00 00 00 D9 FE 00 00 00 00  // ................
    0040: 01 08 00 00 00 00 02 00 00 00 20 00 01 00 00 00  // .......... .....
    0050: 00 10 D9 FE 00 00 00 00 03 08 00 00 02 F0 1F 00  // ................
    0060: 02 08 00 00 00 00 01 00 01 00 22 00 00 00 00 00  // ..........".....
    0070: 00 00 00 7B 00 00 00 00 FF FF 7F 7B 00 00 00 00  // ...{.......{....
    0080: 01 0A 00 00 00 00 14 00 03 01 02 00 10 00 00 00  // ................
    0090: 00 00 02 08 00 00 00 00 01 00 03 00 14 00 00 00  // ................
    00A0: 00 00 00 10 D9 FE 00 00 00 00 01 00 00 00        // ..............
