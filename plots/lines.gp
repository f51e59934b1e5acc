# SPDX-License-Identifier: GPL-2.0-or-later
# Curves, one per series. Columns: series, x, y, low, high. Set beforehand: data, series (array of
# names), x_label, y_label, logx, logy, show_error, points, from_zero.
set xlabel x_label
set ylabel y_label
if (logx) set logscale x logx
if (logy) set logscale y
if (!logy && from_zero) set yrange [0:*]
if (x_si) set format x "%.0s%c"
if (y_si) set format y "%.0s%c"
set rmargin 4
plot for [i = 1:|series| * !points] keyentry with lines lt i title series[i], \
     for [i = 1:|series| * points] keyentry with linespoints lt i title series[i], \
     for [i = 1:|series|] data using (strcol(1) eq series[i] ? column("x") : NaN):(column("y")) \
       with lines lt i notitle, \
     for [i = 1:(points && !show_error) * |series|] data using (strcol(1) eq series[i] ? column("x") : NaN):(column("y")) \
       with points lt i notitle, \
     for [i = 1:show_error * |series|] data using (strcol(1) eq series[i] ? column("x") : NaN):(column("y")):(column("low")):(column("high")) \
       with yerrorbars lt i dt 1 lw 1.5 notitle
