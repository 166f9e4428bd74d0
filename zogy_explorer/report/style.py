"""How the page looks: the reader's own theme, no fonts or files from elsewhere."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --text: #1c2230; --muted: #667085; --line: #d8dce3;
  --back: #ffffff; --ok: #2b7a4b; --info: #1c7ed6; --warning: #8a6a00; --failed: #c2410c;
  --accent: #1c7ed6; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ec; --muted: #8d96a5; --line: #333a45;
  --back: #15181d; --ok: #6cc492; --info: #56b4e9; --warning: #f0e442; --failed: #ff6f3c;
  --accent: #56b4e9; } }
body { margin: 0; background: var(--back); color: var(--text);
  font: 14px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px; }
h1 { font-size: 20px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 28px 0 8px; }
.summary { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 0 0 16px; }
.ok { color: var(--ok); } .info { color: var(--info); } .warning { color: var(--warning); }
.failed { color: var(--failed); } .muted, footer, figcaption { color: var(--muted);
  font-size: 12px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr));
  gap: 12px; }
figure { margin: 0; } img { width: 100%; image-rendering: pixelated; display: block;
  border: 1px solid var(--line); box-sizing: border-box; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 3px 14px 3px 0;
  border-bottom: 1px solid var(--line); } th { font-weight: 500; color: var(--muted); }
.charts { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
svg { width: 340px; display: block; font: 11px system-ui, sans-serif; fill: var(--muted); }
svg polyline { fill: none; stroke-width: 1.4; } svg .measured { stroke: var(--accent); }
svg .expected { stroke: var(--muted); stroke-dasharray: 4 3; }
svg .axis { fill: none; stroke: var(--line); } svg .mid { text-anchor: middle; }
svg .end { text-anchor: end; } footer { margin-top: 32px; }
"""
