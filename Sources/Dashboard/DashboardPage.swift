// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts

/// The page: one document with its style and its script, and nothing from elsewhere.
enum DashboardPage {
  /// The whole document; it holds nothing of the study, which the script asks for.
  static let html = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Assay</title>
    <link rel="icon" href="data:,">
    <style>
    \(style)
    @media (prefers-color-scheme: dark) {
    \(ChartTheme.darkStyle(scope: "figure"))
    }
    \(ChartTheme.highlightStyle(count: 24))
    </style>
    </head>
    <body>
    <header>
    <h1 id="title">Assay</h1>
    <p id="question"></p>
    <div id="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div></div></div>
    <p id="progress" aria-live="polite">reading the study</p>
    <p id="connection" role="alert" hidden></p>
    </header>
    <main>
    <section id="problem" hidden><h2>No analysis</h2><p></p></section>
    <section id="running"><h2>Running now</h2><div class="wide"></div></section>
    <section id="boards"></section>
    <section id="charts"></section>
    <section id="marks" hidden><h2>To know</h2><ul></ul></section>
    <section id="ended" hidden><h2>Ended last</h2><div class="wide"></div></section>
    </main>
    <noscript>This page needs its own script; nothing is loaded from elsewhere.</noscript>
    <script>
    \(script)
    </script>
    </body>
    </html>

    """

  private static let style = """
    :root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1d20; --soft: #5d636b; --line: #e1e3e6; --fill: #f5f6f7;
      --good: #0072b2; --bad: #b44a00; }
    @media (prefers-color-scheme: dark) { :root { --paper: #16191d; --ink: #e9ebee; --soft: #a3a9b1; --line: #31363d; --fill: #1e2227;
      --good: #4a9ee6; --bad: #f0793a; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 24px 20px 60px; max-width: 1180px; background: var(--paper); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
    h2 { font-size: 16px; margin: 32px 0 8px; }
    h2 small { font-weight: normal; color: var(--soft); margin-left: 8px; font-size: 13px; }
    p { margin: 4px 0; }
    #question, #progress { color: var(--soft); }
    #connection { color: var(--bad); }
    #bar { height: 8px; margin: 14px 0 6px; border-radius: 4px; background: var(--line); overflow: hidden; }
    #bar > div { height: 100%; width: 0; background: var(--good); transition: width .4s; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th { font-size: 12px; font-weight: 600; color: var(--soft); text-align: left; }
    th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
    td.words { white-space: normal; min-width: 160px; }
    th.number, td.number { text-align: right; }
    td small, td.soft { color: var(--soft); }
    td b { font-weight: 600; }
    .bad { color: var(--bad); }
    .tag { display: inline-block; padding: 0 6px; margin-left: 6px; border: 1px solid var(--line); border-radius: 8px;
      font-size: 11px; color: var(--soft); }
    .meter { display: inline-block; width: 120px; height: 7px; margin-right: 8px; border-radius: 4px; background: var(--line);
      overflow: hidden; vertical-align: middle; }
    .meter > i { display: block; height: 100%; background: var(--good); }
    #charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr)); gap: 20px; margin-top: 28px; }
    #charts:empty { display: none; }
    figure { margin: 0; }
    figure svg { width: 100%; height: auto; display: block; }
    .quiet { color: var(--soft); }
    ul { margin: 4px 0; padding-left: 20px; }
    """

  private static let script = """
    "use strict";
    const at = id => document.getElementById(id);
    const known = x => x !== undefined && x !== null;
    const fixed = (x, digits) => known(x) ? Number(x).toFixed(digits) : "\\u2013";
    const grouped = x => known(x) ? Math.round(x).toLocaleString("en-US") : "\\u2013";
    function duration(seconds) {
      if (!known(seconds)) return "\\u2013";
      const whole = Math.round(seconds), two = n => String(n).padStart(2, "0");
      if (whole < 60) return whole + " s";
      if (whole < 3600) return Math.floor(whole / 60) + " min " + two(whole % 60) + " s";
      if (whole < 172800) return Math.floor(whole / 3600) + " h " + two(Math.floor(whole % 3600 / 60)) + " min";
      return Math.floor(whole / 86400) + " d " + two(Math.floor(whole % 86400 / 3600)) + " h";
    }
    function bytes(count) {
      if (!known(count)) return "\\u2013";
      const units = ["B", "kB", "MB", "GB", "TB"];
      let unit = 0;
      while (count >= 999.5 && unit < 4) { count /= 1000; unit += 1; }
      return count.toFixed(unit > 0 && count < 9.95 ? 1 : 0) + " " + units[unit];
    }
    // Texts of the study become text, never markup.
    function element(name, attributes, ...children) {
      const made = document.createElement(name);
      for (const key in attributes) made.setAttribute(key, attributes[key]);
      made.append(...children.filter(known));
      return made;
    }
    const cell = (content, kind) => element("td", kind ? { class: kind } : {}, content);
    function table(titles, rows) {
      const head = element("tr", {}, ...titles.map(([text, kind]) => element("th", kind ? { class: kind, scope: "col" } : { scope: "col" }, text)));
      return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    }
    function seedText(trial) { return trial.purpose + " " + trial.seed; }

    function showRunning(state) {
      const place = at("running").querySelector("div");
      if (state.running.length === 0) {
        const text = state.progress.isComplete ? "Nothing: the study is complete."
          : state.progress.isRunning ? "Between two trials."
          : "Nothing. The same command goes on with the study: " + state.command;
        place.replaceChildren(element("p", { class: "quiet" }, text));
        return;
      }
      const several = state.variants.length > 1;
      place.replaceChildren(table(
        [["trial"], ["knobs"], ["seed"], ["progress"], ["loss", "number"], ["validation", "number"], ["tokens/s", "number"], ["left", "number"]],
        state.running.map(trial => {
          const share = trial.steps ? Math.min(1, trial.step / trial.steps) : 0;
          const fill = element("i", {});
          fill.style.width = (share * 100).toFixed(1) + "%";
          const progress = element("td", {}, element("span", { class: "meter" }, fill),
            grouped(trial.step) + (trial.steps ? " of " + grouped(trial.steps) : ""));
          return element("tr", { "data-trial": trial.identity, "data-step": trial.step },
            cell(element("b", {}, trial.arm + (several ? " in " + trial.variant : ""))), cell(trial.knobs, "soft"),
            cell(seedText(trial), "soft"), progress, cell(fixed(trial.loss, 4), "number"), cell(fixed(trial.validationLoss, 4), "number"),
            cell(grouped(trial.tokensPerSecond), "number"), cell(duration(trial.secondsLeft), "number"));
        })));
    }

    function lossCell(row) {
      if (!known(row.loss)) {
        if (!known(row.tuningLoss)) return cell("\\u2013", "number");
        return element("td", { class: "number soft", title: "the best of tuning, which is never reported" }, "(" + fixed(row.tuningLoss, 4) + " in tuning)");
      }
      return element("td", { class: "number" }, element("b", {}, fixed(row.loss, 4)),
        known(row.halfWidth) ? element("small", {}, " \\u00b1 " + fixed(row.halfWidth, 4)) : null);
    }
    function showBoards(state) {
      at("boards").replaceChildren(...state.variants.flatMap(variant => {
        const title = state.variants.length > 1 ? "Leaderboard: " + variant.name : "Leaderboard";
        const floor = known(variant.entropyFloor) ? ", entropy floor " + fixed(variant.entropyFloor, 4) : "";
        const heading = element("h2", {}, title, element("small", {}, variant.phase + floor));
        const rows = variant.rows.map(row => {
          const name = element("td", {}, element("b", {}, row.arm));
          if (row.isBaseline) name.append(element("span", { class: "tag" }, "baseline"));
          if (row.isUndertuned) name.append(element("span", { class: "tag bad" }, "undertuned"));
          const odd = [row.diverged ? row.diverged + " diverged" : "", row.failed ? row.failed + " failed" : ""].filter(x => x).join(", ");
          const seeds = element("td", { class: "number" }, String(row.seeds) + (row.missing ? " of " + (row.seeds + row.missing) : ""));
          if (odd) seeds.append(element("small", { class: "bad" }, " " + odd));
          return element("tr", { "data-arm": row.arm }, cell(known(row.rank) ? String(row.rank) : "\\u2013", "number"), name, lossCell(row), seeds,
            cell(row.knobs, "soft"), cell(row.isBaseline ? "" : row.verdict || "", "words"), cell(fixed(row.millisecondsPerStep, 1), "number"),
            cell(bytes(row.stateBytes), "number"));
        });
        const level = variant.rows.map(row => row.level).find(known);
        const lossTitle = "final loss" + (known(level) ? " \\u00b1 " + fixed(level, 0) + " %" : "");
        return [heading, element("div", { class: "wide" }, table(
          [["", "number"], ["arm"], [lossTitle, "number"], ["seeds", "number"], ["tuned to"], ["against the baseline"], ["ms a step", "number"], ["state", "number"]],
          rows))];
      }));
    }

    function showEnded(state) {
      at("ended").hidden = state.ended.length === 0;
      at("ended").querySelector("div").replaceChildren(table(
        [["arm"], ["knobs"], ["seed"], ["ended"], ["loss", "number"], ["time", "number"]],
        state.ended.map(trial => element("tr", { "data-trial": trial.identity, title: trial.identity },
          cell(trial.arm), cell(trial.knobs, "soft"), cell(seedText(trial), "soft"),
          element("td", trial.status === "finished" ? {} : { class: "bad", title: trial.reason || "" }, trial.status),
          cell(fixed(trial.loss, 4), "number"), cell(duration(trial.seconds), "number")))));
    }

    function showProgress(state) {
      const progress = state.progress;
      const share = progress.isComplete ? 1 : progress.expected ? progress.done / progress.expected : 0;
      at("bar").firstElementChild.style.width = (share * 100).toFixed(1) + "%";
      at("bar").setAttribute("aria-valuenow", Math.round(share * 100));
      let text = progress.isComplete ? "complete: " + grouped(progress.done) + " trials"
        : grouped(progress.done) + " of about " + grouped(progress.expected) + " trials";
      if (progress.failed) text += ", " + progress.failed + " failed";
      if (!progress.isComplete) text += progress.isRunning ? "; " + state.running.length + " running" : "; nobody runs it now";
      if (known(progress.secondsLeft)) text += "; about " + duration(progress.secondsLeft) + " left";
      at("progress").textContent = text;
    }

    function show(state) {
      document.title = state.title + " \\u00b7 Assay";
      at("title").textContent = state.title;
      at("question").textContent = state.question;
      showProgress(state);
      showRunning(state);
      showBoards(state);
      showEnded(state);
      at("marks").hidden = state.marks.length === 0;
      at("marks").querySelector("ul").replaceChildren(...state.marks.map(mark => element("li", {}, mark.text)));
      at("problem").hidden = !state.problem;
      at("problem").querySelector("p").textContent = state.problem || "";
    }

    // A drawing is replaced only when it changed, so that what is under the pointer stays.
    function showCharts(drawn) {
      const place = at("charts");
      const figures = new Map([...place.children].map(figure => [figure.dataset.name, figure]));
      place.replaceChildren(...drawn.charts.map(chart => {
        const figure = figures.get(chart.name) || element("figure", { "data-name": chart.name });
        if (figure.drawn !== chart.svg) {
          figure.innerHTML = chart.svg;
          figure.drawn = chart.svg;
        }
        return figure;
      }));
    }

    let revision = -1;
    let failures = 0;
    async function ask(path) {
      const answer = await fetch(path, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }
    async function look() {
      try {
        const state = await ask("/state.json");
        if (state) {
          show(state);
          if (state.chartsRevision !== revision) {
            const drawn = await ask("/charts.json");
            showCharts(drawn);
            revision = drawn.revision;
          }
        }
        failures = 0;
        at("connection").hidden = true;
      } catch (error) {
        failures += 1;
        if (failures > 1) {
          at("connection").hidden = false;
          at("connection").textContent = "The dashboard does not answer; what you see is old. Start it again: the page goes on by itself.";
        }
      }
      setTimeout(look, document.hidden ? 5000 : 1000);
    }
    look();
    """
}
