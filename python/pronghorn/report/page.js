"use strict";
// Draws the data of the page. Text of the run's becomes text: `textContent` in the page, entities in Plotly's labels.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);
  const colors = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b",
    "#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#3b4cc0", "#b40426"];
  const settings = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
  const font = { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 13 };

  function number(value) {
    if (value === null || value === undefined) return "";
    if (Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
  }

  function seconds(value) {
    if (value < 60) return value.toFixed(1) + " s";
    if (value < 3600) return Math.floor(value / 60) + " min " + Math.round(value % 60) + " s";
    return Math.floor(value / 3600) + " h " + Math.round((value % 3600) / 60) + " min";
  }

  function head() {
    const run = data.run;
    at("name").textContent = run.name;
    const counts = Object.entries(run.counts).map(([status, count]) => count + " " + status).join(", ");
    const begun = new Date(run.created * 1000).toLocaleString();
    at("summary").textContent =
      run.state + " · " + counts + " · " + seconds(run.seconds) + " · begun " + begun + " · Pronghorn " + run.tool;
  }

  // Learning curves.

  function shade(color) {
    const part = (place) => parseInt(color.slice(place, place + 2), 16);
    return "rgba(" + part(1) + "," + part(3) + "," + part(5) + ",0.15)";
  }

  function band(group, color, name, index) {
    const line = { color, width: 2 };
    const common = { x: group.epochs, legendgroup: "g" + index, mode: "lines" };
    const isPoint = group.epochs.length === 1;
    const traces = [];
    if (group.trials > 1 && !isPoint) {
      traces.push({ ...common, y: group.low, line: { width: 0 }, showlegend: false, hoverinfo: "skip" });
      traces.push({ ...common, y: group.high, line: { width: 0 }, fill: "tonexty", fillcolor: shade(color),
        showlegend: false, hoverinfo: "skip" });
    }
    traces.push({ ...common, y: group.mean, line, name, mode: isPoint ? "markers" : "lines",
      customdata: group.mean.map((_, place) => [group.low[place], group.high[place]]),
      hovertemplate: "epoch %{x}: %{y:.5g} (%{customdata[0]:.5g} to %{customdata[1]:.5g})<extra>" + name + "</extra>" });
    return traces;
  }

  function curves() {
    if (data.curves.length === 0) { at("curves").hidden = true; return; }
    const select = at("curve-metric");
    data.curves.forEach((curve, place) => select.add(new Option(curve.metric, place)));
    const main = data.curves.findIndex((curve) => curve.metric === data.metric);
    select.value = String(Math.max(0, main));
    const draw = () => {
      const curve = data.curves[Number(select.value)];
      const traces = [];
      if (curve.all) traces.push(...band(curve.all, "#9aa3af", "all " + curve.all.trials + " trials", "all"));
      curve.groups.forEach((group, place) => {
        const name = plain(cut(group.name || "all trials", 110)) + (group.trials > 1 ? " (" + group.trials + ")" : "");
        traces.push(...band(group, colors[place % colors.length], name, place));
      });
      const names = curve.groups.length + (curve.all ? 1 : 0);
      Plotly.react(at("curve-plot"), traces, {
        height: 400 + 20 * names, font, margin: { t: 12, r: 12, b: 64 + 20 * names, l: 64 }, hovermode: "closest", showlegend: true,
        xaxis: { title: { text: "epoch" }, rangemode: "tozero" },
        yaxis: { title: { text: plain(curve.metric) }, type: at("curve-log").checked ? "log" : "linear" },
        legend: { yref: "container", yanchor: "bottom", y: 0, x: 0, font: { size: 12 },
          tracegroupgap: 0, maxheight: 1 },
      }, settings);
      const notes = ["Lines are means over seeds and partitions; bands reach from the least to the greatest value."];
      if (curve.leftOut > 0) {
        notes.push("The " + curve.groups.length + " best settings are drawn, " + curve.leftOut +
          " are not; the grey band holds 80 % of all trials.");
      }
      if (data.metricsLeftOut.length > 0) notes.push(data.metricsLeftOut.length + " further metrics are in the table.");
      at("curve-note").textContent = notes.join(" ");
    };
    select.addEventListener("change", draw);
    at("curve-log").addEventListener("change", draw);
    draw();
  }

  // Parallel coordinates.

  function parallel() {
    const found = data.parallel;
    if (!found || found.dimensions.length < 2) { at("parallel").hidden = true; return; }
    const dimensions = found.dimensions.map((dimension) => {
      const axis = { label: plain(cut(dimension.name, 24)), values: dimension.values };
      if (dimension.texts) {
        axis.tickvals = dimension.texts.map((_, place) => place);
        // Unlike every other text, Plotly takes these as they are.
        axis.ticktext = dimension.texts.map((text) => cut(text, 24));
      } else if (dimension.log) {
        const numbers = dimension.values.filter((value) => value !== null);
        const low = Math.min(...numbers), high = Math.max(...numbers);
        axis.tickvals = [0, 1, 2, 3, 4].map((step) => low + ((high - low) * step) / 4);
        axis.ticktext = axis.tickvals.map((value) => number(Number((10 ** value).toPrecision(2))));
      }
      return axis;
    });
    const isHigher = data.directions[data.metric] === "higher";
    Plotly.newPlot(at("parallel-plot"), [{
      type: "parcoords", dimensions,
      line: { color: found.values, colorscale: "Viridis", reversescale: isHigher, showscale: true,
        colorbar: { title: { text: plain(cut(data.metric, 24)), side: "right" }, thickness: 14 } },
    }], { height: 440, font, margin: { t: 60, r: 40, b: 30, l: 70 } }, settings);
    const notes = ["A line a trial; drag along an axis to choose."];
    if (found.lines < found.trials) {
      notes.push(found.lines + " of " + found.trials + " trials are drawn: the best, and an even choice of the others.");
    }
    at("parallel-note").textContent = notes.join(" ");
  }

  // The table.

  function table() {
    const { columns, rows } = data.table;
    const isNumber = columns.map((column, place) =>
      column.kind === "number" || column.kind === "metric" ||
      (column.kind === "parameter" && rows.every((row) => row[place] === null || typeof row[place] === "number")));
    let sorted = columns.findIndex((column) => column.kind === "metric" && column.name === data.metric);
    let down = data.directions[data.metric] === "higher";
    if (sorted < 0) { sorted = 0; down = false; }
    let page = 0;
    const size = 50;

    const headRow = document.createElement("tr");
    columns.forEach((column, place) => {
      const cell = document.createElement("th");
      if (isNumber[place]) cell.className = "number";
      cell.addEventListener("click", () => {
        down = sorted === place ? !down : column.kind === "metric" && data.directions[column.name] === "higher";
        sorted = place;
        page = 0;
        draw();
      });
      headRow.append(cell);
    });
    at("table").tHead.append(headRow);

    function compare(first, second) {
      const one = first[sorted], other = second[sorted];
      if (one === other) return first[0] - second[0];
      // What has no value stands last either way.
      if (one === null || one === undefined) return 1;
      if (other === null || other === undefined) return -1;
      const order = typeof one === "number" && typeof other === "number"
        ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
      return down ? -order : order;
    }

    function draw() {
      const wanted = at("filter").value.toLowerCase();
      const found = wanted === "" ? rows.slice()
        : rows.filter((row) => row.some((value) => value !== null && String(value).toLowerCase().includes(wanted)));
      found.sort(compare);
      const pages = Math.max(1, Math.ceil(found.length / size));
      page = Math.min(page, pages - 1);
      columns.forEach((column, place) => {
        headRow.cells[place].textContent = column.name + (place === sorted ? (down ? " ▼" : " ▲") : "");
      });
      const body = at("table").tBodies[0];
      body.replaceChildren(...found.slice(page * size, (page + 1) * size).map((row) => {
        const line = document.createElement("tr");
        row.forEach((value, place) => {
          const cell = document.createElement("td");
          cell.textContent = typeof value === "number" ? number(value) : value === null ? "" : String(value);
          if (isNumber[place]) cell.className = "number";
          else if (columns[place].name === "status" && columns[place].kind === "text") cell.className = String(value);
          else if (cell.textContent.length > 40) cell.className = "long";
          line.append(cell);
        });
        return line;
      }));
      const choice = at("pages");
      choice.replaceChildren();
      const turn = (text, to) => {
        const button = document.createElement("button");
        button.textContent = text;
        button.disabled = to < 0 || to >= pages;
        button.addEventListener("click", () => { page = to; draw(); });
        return button;
      };
      const first = found.length === 0 ? 0 : page * size + 1;
      const text = " " + first + " to " + Math.min(found.length, (page + 1) * size) + " of " + found.length + " ";
      choice.append(turn("‹", page - 1), text, turn("›", page + 1));
    }
    at("filter").addEventListener("input", () => { page = 0; draw(); });
    draw();
  }

  // Devices.

  function devices() {
    const { bars, merged } = data.gantt;
    if (bars.length === 0) { at("devices").hidden = true; return; }
    const shades = { finished: "#4c8bf5", running: "#f2b134", failed: "#d64545", stopped: "#9aa3af" };
    const names = [...new Set(bars.map((bar) => bar.device))];
    const traces = Object.keys(shades).map((status) => {
      const chosen = bars.filter((bar) => bar.status === status);
      return {
        type: "bar", orientation: "h", name: status, marker: { color: shades[status], line: { color: "#fff", width: 0.5 } },
        y: chosen.map((bar) => plain(bar.device)), base: chosen.map((bar) => bar.from),
        x: chosen.map((bar) => bar.to - bar.from),
        hovertext: chosen.map((bar) =>
          (bar.units > 1 ? bar.units + " units" : "unit " + plain(bar.unit)) + ", " + bar.trials + " trials<br>" +
          seconds(bar.from) + " to " + seconds(bar.to)),
        hoverinfo: "text+name", width: 0.6,
      };
    }).filter((trace) => trace.y.length > 0);
    Plotly.newPlot(at("device-plot"), traces, {
      height: Math.min(900, 130 + 34 * names.length), font, barmode: "overlay", bargap: 0.2, hovermode: "closest",
      margin: { t: 34, r: 12, b: 46, l: 90 }, showlegend: true,
      legend: { orientation: "h", y: 1.01, yanchor: "bottom", x: 0 },
      xaxis: { title: { text: "seconds since the first unit" }, rangemode: "tozero" },
      yaxis: { type: "category", categoryorder: "array", categoryarray: names.slice().reverse().map(plain) },
    }, settings);
    const notes = data.devices.filter((device) => device.wall > 0).map((device) =>
      device.device + " busy " + Math.round((100 * device.busy) / device.wall) + " % of " + seconds(device.wall));
    if (merged) notes.push("bars hold several units that follow each other");
    at("device-note").textContent = notes.join(" · ");
  }

  function failures() {
    const { messages, leftOut } = data.failures;
    if (messages.length === 0) { at("failures").hidden = true; return; }
    messages.forEach((one) => {
      const entry = document.createElement("p");
      const code = document.createElement("code");
      code.textContent = one.message;
      const numbers = one.trials.join(", ") + (one.count > one.trials.length ? ", …" : "");
      entry.append(one.count + (one.count === 1 ? " trial " : " trials ") + one.status + ": " + numbers, code);
      at("failure-list").append(entry);
    });
    if (leftOut > 0) {
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = leftOut + " further messages are not shown.";
      at("failure-list").append(note);
    }
  }

  head();
  table();
  failures();
  curves();
  parallel();
  devices();
})();
