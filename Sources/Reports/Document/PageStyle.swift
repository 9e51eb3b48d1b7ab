// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts

/// The style of the page: a screen, light or dark, and paper.
enum PageStyle {
  /// The rules.
  static func css(lookCount: Int) -> String {
    """
    :root{color-scheme:light dark;--paper:#ffffff;--ink:#1b1b1b;--soft:#5b5f66;--line:#dcdfe3;--panel:#f6f7f8;
    --good:#00664b;--bad:#a03c00;--alike:#004f7d;--open:#5b5f66;--warning:#8a5a00;--link:#00558a}
    @media (prefers-color-scheme:dark){:root{--paper:#16191d;--ink:#e9eaec;--soft:#a4abb3;--line:#353b43;
    --panel:#1e2227;--good:#4fd0a8;--bad:#ff9a62;--alike:#7cc0f2;--open:#a4abb3;--warning:#f0bb55;--link:#7cc0f2}
    }
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:1120px;padding:24px 20px 80px;background:var(--paper);color:var(--ink);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif}
    h1{font-size:1.7rem;line-height:1.25;margin:.2em 0 .5em;overflow-wrap:anywhere}
    h2{font-size:1.25rem;margin:2.4em 0 .6em;padding-top:.5em;border-top:1px solid var(--line)}
    h3{font-size:1.02rem;margin:1.6em 0 .4em}
    p,li{max-width:80ch;overflow-wrap:anywhere}
    .answer{font-size:1.08rem;padding:.8em 1em;background:var(--panel);border-left:4px solid var(--link);max-width:none;margin:0}
    .answer+.answer{padding-top:0}
    a{color:var(--link)}
    nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2em 1.1em;padding:0;margin:1.2em 0;font-size:.92rem}
    .table{overflow-x:auto;margin:1em 0}
    .table.long{max-height:32rem;overflow:auto;border:1px solid var(--line)}
    table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}
    .caption{color:var(--soft);font-size:.87rem;margin:1.2em 0 -.6em;max-width:90ch}
    th,td{padding:.28em .7em;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top}
    td.words{white-space:normal;overflow-wrap:anywhere;min-width:16rem;max-width:34rem}
    th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom;background:var(--paper);position:sticky;top:0}
    .left{text-align:left}
    td svg{width:14px;height:14px;vertical-align:-2px;margin-right:.45em}
    .good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
    .alike{color:var(--alike);font-weight:600}.open{color:var(--open)}.warning{color:var(--warning);font-weight:600}
    figure{margin:1.4em 0}
    .image{overflow-x:auto}
    .image>svg{max-width:100%;height:auto;display:block}
    figcaption{color:var(--soft);font-size:.87rem;max-width:90ch;margin-top:.3em}
    pre{background:var(--panel);padding:.8em 1em;overflow-x:auto;font-size:.85rem}
    code{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    svg [data-look]{transition:opacity .12s}
    .marker:hover,.beyond:hover,.bar:hover{stroke:#111111;stroke-width:2}
    .value:hover{fill-opacity:.25}
    \(ChartTheme.highlightStyle(count: lookCount))
    @media screen and (prefers-color-scheme:dark){
    \(ChartTheme.darkStyle(scope: "svg"))
    }
    @media print{
    :root{--paper:#ffffff;--ink:#000000;--soft:#444444;--line:#bbbbbb;--panel:#f4f4f4;--good:#00664b;--bad:#a03c00;
    --alike:#004f7d;--open:#444444;--warning:#8a5a00;--link:#000000;color-scheme:light}
    body{max-width:none;padding:0;font-size:10pt}
    nav{display:none}
    .table,.table.long,.image{overflow:visible;max-height:none;border:0}
    table{font-size:7.5pt}
    th{position:static}
    th,td{padding:.15em .4em;white-space:normal}
    figure,tr{break-inside:avoid}
    h2,h3{break-after:avoid}
    }
    """
  }
}
