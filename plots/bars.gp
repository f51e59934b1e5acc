# SPDX-License-Identifier: GPL-2.0-or-later
# Stacked bars, one per API, in groups, one per IOMMU mode.
# Columns: x, mode, api, seeds, series..., total, low, high. Set beforehand: data, nseries,
# nbars, parts and groups (arrays of names), group_x (array of their middles), show_error, y_label.
stats data using "total" nooutput
top = STATS_max > 0 ? STATS_max : 1
set style fill solid 1.0 border rgb "white"
set style line 9 lc rgb "white" lw 0.6 dt 1
set boxwidth 0.82
set ylabel y_label
set yrange [0:top * 1.14]
set xrange [-0.7:nbars - 0.3]
set xtics scale 0 noenhanced
set bmargin 4
do for [g = 1:|groups|] {
  set label g sprintf("{/:Bold %s}", groups[g]) at first group_x[g], graph 0 center offset 0, -2.3 textcolor rgb ink
}
shown(v) = small(v == 0 ? "0" : v >= 100 ? sprintf("%.0f", v) : v >= 9.995 ? sprintf("%.1f", v) : v >= 0.01 ? sprintf("%.2f", v) : sprintf("%.1g", v))
upto(i) = sum [j = 5:4 + i] column(j)
plot for [i = 1:nseries] keyentry with boxes lc rgb colour(i) title parts[i], \
     for [k = 1:nseries] i = nseries + 1 - k data using "x":(upto(i)):xtic(strcol(3)) \
       with boxes lc rgb colour(i) dt 1 lw 0.6 notitle, \
     data using "x":(column("total")):(shown(column("total"))) with labels enhanced offset 0, 0.6 textcolor rgb ink notitle, \
     data using (show_error ? column("x") : NaN):(column("total")):(column("low")):(column("high")) \
       with yerrorbars lc rgb ink lw 1 dt 1 pt -1 notitle
