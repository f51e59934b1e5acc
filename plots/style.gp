# SPDX-License-Identifier: GPL-2.0-or-later
# The common look: Okabe-Ito colours (colour-blind safe, distinct in grey by order), dashes and
# point shapes that tell lines apart without colour, no chart junk. Loaded before each figure.
# Set beforehand: name (of the files), id (the same without dashes), figure_title, subtitle; optionally fmt = svg | png | pdf.
if (!exists("fmt")) fmt = "svg"
if (!exists("w")) w = 6.4
if (!exists("h")) h = 3.6
if (fmt eq "svg") set terminal svg size w * 100, h * 100 font "Helvetica,Arial,sans-serif,13" name "dmasim_" . id enhanced background rgb "white" rounded
if (fmt eq "png") set terminal pngcairo size w * 200, h * 200 font "DejaVu Sans,19" enhanced linewidth 2 rounded
if (fmt eq "pdf") set terminal pdfcairo size w, h font "Helvetica,11" enhanced linewidth 1.2 rounded
key_font = fmt eq "svg" ? ",12" : fmt eq "png" ? ",16.5" : ",9.5"
set output name . "." . fmt
set encoding utf8

blue = 0x0072B2; orange = 0xE69F00; green = 0x009E73; sky = 0x56B4E9
vermillion = 0xD55E00; purple = 0xCC79A7; yellow = 0xF0E442; grey = 0x999999; ink = 0x222222
array palette_[8] = [blue, orange, sky, vermillion, green, purple, yellow, grey]
colour(i) = palette_[1 + (i - 1) % 8]
set linetype 1 lc rgb blue lw 2 dt 1 pt 7 ps 0.8
set linetype 2 lc rgb vermillion lw 2 dt 2 pt 5 ps 0.8
set linetype 3 lc rgb green lw 2 dt 4 pt 9 ps 0.9
set linetype 4 lc rgb orange lw 2 dt 5 pt 13 ps 0.9
set linetype 5 lc rgb purple lw 2 dt 3 pt 11 ps 0.9
set linetype 6 lc rgb sky lw 2 dt "_.." pt 4 ps 0.8
set linetype 7 lc rgb grey lw 2 dt "__." pt 6 ps 0.8
set linetype 8 lc rgb ink lw 2 dt 1 pt 8 ps 0.8
set linetype cycle 8

set datafile separator ","
set border 3 lc rgb ink lw 0.8
set tics nomirror out scale 0.6 textcolor rgb ink
set grid ytics lc rgb 0xDDDDDD lw 0.7 dt 1
set ylabel textcolor rgb ink
set xlabel textcolor rgb ink
# Title, subtitle and key stand above the plot, flush left, one below the other.
if (!exists("key_rows")) key_rows = 1
set tmargin 3.6 + 1.25 * key_rows
set label 1001 sprintf("{/:Bold*1.1 %s}", figure_title) at graph 0, graph 1 left offset 0, 2.5 + 1.25 * key_rows textcolor rgb ink
set label 1002 sprintf("{/*0.85 %s}", subtitle) at graph 0, graph 1 left offset 0, 1.35 + 1.25 * key_rows textcolor rgb 0x666666
set key at graph 0, graph 1.02 left bottom horizontal Left reverse samplen 1.4 spacing 1.1 width 0.5 maxcols 3 maxrows key_rows noenhanced font key_font textcolor rgb ink
small(text) = sprintf("{/*0.8 %s}", text)
