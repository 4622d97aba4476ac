"Colours and style sheets of views and widgets; ground and text take the colours of their page."

__all__ = ['OKABE_ITO', 'PLAYER_STYLE', 'VIEW_STYLE']

# Okabe and Ito (2008); the last two replace their yellow and black, which vanish on white or black
OKABE_ITO = [
    '#0072b2',
    '#d55e00',
    '#009e73',
    '#cc79a7',
    '#e69f00',
    '#56b4e9',
    '#8a63d2',
    '#666666',
]

# of an animation: a row of tokens, a bar of controls, a text
PLAYER_STYLE = '''\
.vtd{font:14px/1.35 system-ui,sans-serif;max-width:60rem;margin:.5rem 0}
.vtd .row{display:flex;flex-wrap:wrap;gap:6px 4px;list-style:none;margin:0;padding:4px}
.vtd .tok{width:54px;margin:0;padding:2px;text-align:center;position:relative}
.vtd .tok img,.vtd .tok i{display:block;width:48px;height:48px;margin:0 auto;
 image-rendering:pixelated;outline:1px solid #8888}
.vtd .tok i{background:repeating-linear-gradient(45deg,#8883 0 4px,#8881 4px 8px)}
.vtd .tok b{display:block;font-weight:400;font-size:12px;overflow:hidden;
 text-overflow:ellipsis;white-space:nowrap;min-height:1.35em;margin-top:4px}
.vtd .tok.new img{outline:3px solid #d55e00;outline-offset:1px}
.vtd .tok.new b{font-weight:700;text-decoration:underline}
.vtd .bar{display:flex;flex-wrap:wrap;align-items:center;gap:8px;padding:4px}
.vtd .bar[hidden]{display:none}
.vtd .bar button{font:inherit;color:inherit;background:#8883;border:1px solid #8888;border-radius:4px;
 min-width:5.5em;min-height:2.4em;cursor:pointer}
.vtd .bar input{flex:1 1 10rem;min-width:8rem;accent-color:#0072b2;min-height:2em}
.vtd .bar output{flex:1 1 12rem;font-variant-numeric:tabular-nums}
.vtd .text{white-space:pre-wrap;padding:4px 8px;margin:4px 0;
 border-left:3px solid #0072b2;overflow-wrap:anywhere}
@media(max-width:420px){.vtd .tok{width:42px}.vtd .tok img,.vtd .tok i{width:32px;height:32px}}'''

# what views need besides: cards, wrong tokens, notes, drawings, tables
VIEW_STYLE = '''\
.vtd .row{position:relative}
.vtd .wide img,.vtd .fits img{max-width:100%;height:auto}
.vtd .wide img{min-width:480px}
.vtd .tok:focus{outline:2px solid #0072b2;outline-offset:1px}
.vtd .tok.card-of{position:static;cursor:pointer}
.vtd .card{display:none;position:absolute;left:4px;z-index:9;
 max-width:min(30rem,calc(100% - 16px));padding:6px 10px;text-align:left;font-size:13px;
 border:1px solid #8888;border-radius:4px;box-shadow:0 2px 8px #0005;
 background:var(--jp-layout-color1,var(--bs-body-bg,Canvas));
 color:var(--jp-content-font-color1,var(--bs-body-color,CanvasText))}
.vtd .cards{padding-bottom:7.2em}
.vtd .tok:hover .card,.vtd .tok:focus .card{display:block}
.vtd .tok.bad img{outline:3px dashed #d55e00;outline-offset:1px}
.vtd .tok.bad s{opacity:.75}
.vtd .tok small{display:block;font-size:10px;opacity:.8}
.vtd .note{padding:2px 8px;margin:4px 0}
.vtd .note.wrong{border-left:4px solid #d55e00;font-weight:600}
.vtd .big .tok{width:128px}
.vtd .big b{white-space:normal}
.vtd .big img{width:112px;height:112px;image-rendering:pixelated;outline:1px solid #8888}
.vtd svg{max-width:100%;height:auto;font-family:inherit}
.vtd .wide{overflow-x:auto}
.vtd .wide svg{min-width:480px}
.vtd img.heat{image-rendering:pixelated;width:min(260px,100%);outline:1px solid #8888}
.vtd .cols{display:flex;flex-wrap:wrap;gap:16px}
.vtd table{border-collapse:collapse;font-size:13px}
.vtd td,.vtd th{padding:2px 10px 2px 0;text-align:left;border-bottom:1px solid #8884}
@media(max-width:420px){.vtd .big .tok{width:96px}.vtd .big img{width:84px;height:84px}}'''
