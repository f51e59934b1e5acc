# SPDX-License-Identifier: GPL-2.0-or-later
# Stacked bars, one per API, in groups, one per IOMMU mode.
# Columns: x, mode, api, seeds, series..., total, low, high. Set beforehand: data, nseries,
# nbars, groups (array of names), group_x (array of their middles), show_error, y_label.
stats data using "total" nooutput
top = STATS_max > 0 ? STATS_max : 1
set style fill solid 1.0 border rgb "white"
set boxwidth 0.82
set ylabel y_label
set yrange [0:top * 1.14]
set xrange [-0.7:nbars - 0.3]
set xtics scale 0 noenhanced
set bmargin 4.2
do for [g = 1:|groups|] {
  set label g groups[g] at first group_x[g], graph -0.17 center font ",13" noenhanced textcolor rgb ink
}
shown(v) = v == 0 ? "0" : v >= 100 ? sprintf("%.0f", v) : v >= 10 ? sprintf("%.1f", v) : sprintf("%.2f", v)
upto(i) = sum [j = 5:4 + i] column(j)
plot for [k = 1:nseries] i = nseries + 1 - k data using "x":(upto(i)):xtic(strcol(3)) \
       with boxes lc rgb colour(i) title columnheader(4 + i), \
     data using "x":(column("total")):(shown(column("total"))) with labels offset 0, 0.6 font ",11" textcolor rgb ink notitle, \
     data using (show_error ? column("x") : NaN):(column("total")):(column("low")):(column("high")) \
       with yerrorbars lc rgb ink lw 1 pt -1 notitle
