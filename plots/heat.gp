# SPDX-License-Identifier: GPL-2.0-or-later
# Ratio of two APIs over two swept parameters, with the line where both are equal.
# Columns: column, row, x, y, ratio. Set beforehand: data, edges (file of break-even segments:
# x, y, dx, dy), x_names, y_names (arrays), x_label, y_label, has_edges.
set xlabel x_label
set ylabel y_label
unset grid
set key off
set xrange [0.5:|x_names| + 0.5]
set yrange [0.5:|y_names| + 0.5]
set xtics scale 0 noenhanced ()
set ytics scale 0 noenhanced ()
do for [i = 1:|x_names|] { set xtics add (x_names[i] i) }
do for [i = 1:|y_names|] { set ytics add (y_names[i] i) }
# A narrow range of ratios stays pale.
limit = spread > 1.5 ? spread : 1.5
set logscale cb
set cbrange [1 / limit:limit]
set palette defined (-1 "#4C9BD0", 0 "#F7F7F7", 1 "#EE8A4A")
set cblabel ratio_label offset 1.5, 0 textcolor rgb ink
set cbtics (sprintf("%.2g", 1 / limit) 1 / limit, "1" 1, sprintf("%.2g", limit) limit) nomirror
set rmargin 10
show_ratio(r) = sprintf("%.2f", r)
plot data using "column":"row":"ratio" with image pixels, \
     data using "column":"row":(show_ratio(column("ratio"))) with labels textcolor rgb ink, \
     edges using 1:(has_edges ? column(2) : NaN):3:4 with vectors nohead lc rgb ink lw 3 dt 1 notitle
