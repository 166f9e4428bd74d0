"""JavaScript that draws the picture of the wall: its canvases as they are, words around them."""

from __future__ import annotations

DRAW_PICTURE = """
const FONT = "system-ui, sans-serif"
const EDGE = 8          // around everything [CSS px]
const LINE = 18         // of the caption
const LEGEND = 38       // above each image: title, then colour bar
const GAP = 6           // between a row of images and the legend of the next

// The views of the panels that are on the screen, row by row from the top.
function panelRows(order) {
  const find = (id) => {
    for (const doc of Bokeh.documents) {
      const model = doc.get_model_by_id(id)
      if (model != null) return Bokeh.index.find_one(model)
    }
    return null
  }
  const panels = []
  for (const legend of order.panels) {
    const view = find(legend.figure)
    if (view == null) continue
    const box = view.el.getBoundingClientRect()
    if (box.width > 0 && box.height > 0) panels.push({legend, view, box})
  }
  const rows = []
  for (const panel of panels) {
    const row = rows.find((r) => Math.abs(r[0].box.top - panel.box.top) < 5)
    if (row == null) rows.push([panel])
    else row.push(panel)
  }
  return rows.sort((a, b) => a[0].box.top - b[0].box.top)
}

// The largest size at which a text has room, and the text cut off if there is none.
function fitted(ctx, text, room, weight, sizes) {
  for (const size of sizes) {
    ctx.font = `${weight} ${size}px ${FONT}`
    if (ctx.measureText(text).width <= room) return text
  }
  let cut = text
  while (cut.length > 1 && ctx.measureText(cut + "…").width > room) cut = cut.slice(0, -1)
  return cut + "…"
}

function write(ctx, text, x, y, color, align = "left") {
  ctx.fillStyle = color
  ctx.textAlign = align
  ctx.textBaseline = "middle"
  ctx.fillText(text, x, y)
}

function drawBar(ctx, legend, x, y, width, order) {
  ctx.font = `11px ${FONT}`
  const low = ctx.measureText(legend.low).width, high = ctx.measureText(legend.high).width
  write(ctx, legend.low, x, y, order.text)
  write(ctx, legend.high, x + width, y, order.text, "right")
  const start = Math.round(x + low + 6), room = Math.round(width - low - high - 12)
  if (room < 8) return
  const last = legend.colors.length - 1
  for (let k = 0; k < room; k++) {
    ctx.fillStyle = legend.colors[Math.round(last * k / (room - 1))]
    // To the end each time: no seams between the colours.
    ctx.fillRect(start + k, y - 5, room - k, 10)
  }
  ctx.strokeStyle = order.muted
  ctx.lineWidth = 1
  ctx.strokeRect(start - 0.5, y - 5.5, room + 1, 11)
}

function drawPlanes(ctx, planes, x, y, width, order) {
  const [swatch, near, far, dots] = [8, 3, 8, 10]
  const end = x + width
  const size = [11, 10, 9, 8, 7].find((size) => {
    ctx.font = `${size}px ${FONT}`
    const words = planes.reduce((sum, [name]) => sum + ctx.measureText(name).width, 0)
    return words + planes.length * (swatch + near + far) - far <= width
  })
  for (const [name, color] of planes) {
    const all = swatch + near + ctx.measureText(name).width
    if (size == null && x + all + dots > end) {
      write(ctx, "…", x, y, order.text)
      return
    }
    ctx.fillStyle = color
    ctx.fillRect(x, y - swatch / 2, swatch, swatch)
    write(ctx, name, x + swatch + near, y, order.text)
    x += all + far
  }
}

function drawLegend(ctx, legend, x, y, width, order) {
  ctx.font = `11px ${FONT}`
  const how = ctx.measureText(legend.how).width
  const title = fitted(ctx, legend.title, width - how - 8, 600, [13, 12, 11])
  write(ctx, title, x, y + 9, order.text)
  ctx.font = `11px ${FONT}`
  write(ctx, legend.how, x + width, y + 9, order.muted, "right")
  if (legend.colors.length) drawBar(ctx, legend, x, y + 27, width, order)
  if (legend.planes.length) drawPlanes(ctx, legend.planes, x, y + 27, width, order)
}

export async function drawPicture(order) {
  const rows = panelRows(order)
  if (rows.length === 0) return null
  const all = rows.flat()
  const left = Math.min(...all.map((p) => p.box.left))
  const right = Math.max(...all.map((p) => p.box.right))
  const top = EDGE + LINE * order.caption.length + 2
  const width = right - left + 2 * EDGE
  const heights = rows.map((row) => Math.max(...row.map((p) => p.box.height)))
  const height = top + heights.reduce((sum, h) => sum + LEGEND + h + GAP, 0) - GAP + EDGE

  // As many pixels as the canvases have: they are copied, not scaled.
  for (const panel of all) panel.layer = panel.view.export("png", true)
  const ratio = all[0].layer.pixel_ratio
  const canvas = document.createElement("canvas")
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const ctx = canvas.getContext("2d")
  ctx.fillStyle = order.background
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  ctx.imageSmoothingEnabled = false
  ctx.scale(ratio, ratio)

  order.caption.forEach((text, k) => {
    const shown = fitted(ctx, text, width - 2 * EDGE, k ? 400 : 600, k ? [11, 10] : [13, 12, 11])
    write(ctx, shown, EDGE, EDGE + LINE * (k + 0.5), k ? order.muted : order.text)
  })
  let y = top
  rows.forEach((row, k) => {
    for (const {legend, view, box, layer} of row) {
      const x = box.left - left + EDGE, frame = view.frame.bbox
      drawLegend(ctx, legend, x + frame.left, y, frame.width, order)
      ctx.save()
      ctx.setTransform(1, 0, 0, 1, 0, 0)
      ctx.drawImage(layer.canvas, Math.round(x * ratio), Math.round((y + LEGEND) * ratio))
      ctx.restore()
    }
    y += LEGEND + heights[k] + GAP
  })
  return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"))
}
"""
"""Defines ``drawPicture(order)``: a promise of the PNG of a `picture.picture_order`."""
