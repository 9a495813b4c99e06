/*
 * html_pprof.c - a flame graph as one HTML file.
 *
 * Data is JSON in a script element of a type that does not run, with "<", ">" and "&" escaped; the
 * script puts names into the page as text nodes alone, and the page's policy allows no other script
 * and no connection.
 */
#include "report/pprof_draw.h"

#include "report/json.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src "
	"'unsafe-inline'; style-src 'unsafe-inline'\">\n"
	"<title>limpet: flame graph</title>\n<style>\n"
	"body{font:13px sans-serif;margin:8px;color:#222;background:#fff}\n"
	"#bar{display:flex;gap:8px;align-items:center;margin-bottom:6px;flex-wrap:wrap}\n"
	"#g{position:relative}\n"
	"#g div{position:absolute;height:17px;overflow:hidden;white-space:nowrap;font:11px monospace;"
	"line-height:17px;box-sizing:border-box;border:solid #fff;border-width:0 1px 1px 0;"
	"padding-left:2px;cursor:pointer}\n"
	"#g div.hit{background:#d070e0!important}\n"
	"#g div.up{opacity:.55}\n#info{min-height:1.3em;font-family:monospace;word-break:break-all}\n"
	"</style></head><body>\n"
	"<div id=\"bar\"><b id=\"what\"></b><button id=\"reset\">all of it</button>"
	"<button id=\"turn\">from callees up</button>"
	"<input id=\"search\" placeholder=\"search: regular expression\" size=\"30\"><span "
	"id=\"found\"></span></div>\n"
	"<div id=\"info\"></div><div id=\"g\"></div>\n"
	"<script type=\"application/json\" id=\"data\">";

static const char tail[] =
	"</script>\n<script>\n"
	"'use strict';\n"
	"var D=JSON.parse(document.getElementById('data').textContent),$=function(i){return "
	"document.getElementById(i)};\n"
	"function node(n,p){return {n:n,p:p,self:0,net:0,w:0,c:[],m:null}}\n"
	"function build(){var root=node(0,null),at=root,d=0,i,a=D.nodes;\n"
	" for(i=0;i<a.length;i+=4){var x;if(!i){x=root}else{while(d>=a[i+1]){at=at.p;d--}x=node(a[i],at);"
	"at.c.push(x)}\n"
	"  x.self=a[i+2];x.small=a[i+3];at=x;d=a[i+1]}\n return root}\n"
	/* from the leaves: each stack backwards, without what is too small to be drawn */
	"function turned(root){var r=node(0,null),todo=[[root,null]];\n"
	" while(todo.length){var t=todo.pop(),x=t[0],path={n:x.n,up:t[1]};\n"
	"  if(x.self+x.small&&x.p){var at=r,q=path,v=x.self+x.small;while(q&&q.up){at.m=at.m||new Map();"
	"var y=at.m.get(q.n);if(!y){y=node(q.n,at);y.small=0;at.m.set(q.n,y);at.c.push(y)}at=y;q=q.up}"
	"at.self+=v}\n"
	"  x.c.forEach(function(y){todo.push([y,path])})}\n r.small=0;return r}\n"
	"function weigh(root){var all=[root],i;for(i=0;i<all.length;i++)all[i].c.forEach(function(y){"
	"all.push(y)});\n"
	" for(i=all.length;i--;){var x=all[i];x.net+=x.self+x.small;x.w+=Math.abs(x.self)+Math.abs("
	"x.small);if(x.p){x.p.net+=x.net;x.p.w+=x.w}}\n"
	" all.forEach(function(x){x.c.sort(function(a,b){return b.w-a.w})});return root}\n"
	"function fmt(v){var u=D.unit,s=v<0?'-':'',k;v=Math.abs(v);\n"
	" if(u=='bytes'){k=['B','kB','MB','GB','TB'];var i=0;while(v>=1024&&i<4){v/=1024;i++}return "
	"s+(i?v.toFixed(2):v)+k[i]}\n"
	" if(u=='nanoseconds'){if(v>=1e9)return s+(v/1e9).toFixed(2)+'s';if(v>=1e6)return "
	"s+(v/1e6).toFixed(2)+'ms';if(v>=1e3)return s+(v/1e3).toFixed(2)+'us';return s+v+'ns'}\n"
	" return s+v+(u=='count'?'':' '+u)}\n"
	"function color(n,net){if(net<0)return 'hsl(210,60%,75%)';var s=D.names[n],h=0,e=s.lastIndexOf('/')"
	"+1,d=s.indexOf('.',e),p=d<0?s:s.slice(0,d);for(var i=0;i<p.length;i++)h=(h*31+p.charCodeAt(i))%997;"
	"return 'hsl('+(h%60)+','+(55+h%30)+'%,'+(68+h%12)+'%)'}\n"
	"var down=weigh(build()),up=null,root=down,focus=root,rx=null,g=$('g');\n"
	"function share(v){return D.total?(100*v/D.total).toFixed(2)+'%':''}\n"
	"function draw(){g.textContent='';var W=g.clientWidth||1000,row=0,line=[],x,i,deep=0,hits=0,seen=[];\n"
	" for(x=focus;x;x=x.p)line.unshift(x);\n"
	" line.forEach(function(y,k){if(y!==focus)box(y,0,W,k,true)});row=line.length-1;\n"
	" var todo=[[focus,0,W,row]];\n"
	" while(todo.length){var t=todo.pop();x=t[0];box(x,t[1],t[2],t[3],false);deep=Math.max(deep,t[3]);\n"
	"  var at=t[1],b=t[2];x.c.forEach(function(y){var w=x.w?b*y.w/x.w:0;if(w>=0.7)todo.push([y,at,w,"
	"t[3]+1]);at+=w})}\n"
	" g.style.height=(deep+1)*17+'px';\n"
	" if(rx){hits=matched(focus);$('found').textContent=fmt(hits)+' '+share(hits)}else "
	"$('found').textContent=''}\n"
	/* each sample once: not below another match */
	"function matched(x){var s=0,todo=[x];while(todo.length){var y=todo.pop();if(rx.test(D.names[y.n]))"
	"s+=y.net;else y.c.forEach(function(z){todo.push(z)})}return s}\n"
	"function label(x){return D.names[x.n]+' '+fmt(x.net)+' '+share(x.net)}\n"
	"function box(x,l,w,row,isUp){var e=document.createElement('div');e.style.left=l+'px';e.style.top="
	"row*17+'px';e.style.width=w+'px';e.style.background=color(x.n,x.net);\n"
	" if(w>25)e.textContent=D.names[x.n];e.title=label(x);if(isUp)e.className='up';\n"
	" if(rx&&rx.test(D.names[x.n]))e.className+=' hit';\n"
	" e.onmouseenter=function(){$('info').textContent=label(x)};\n"
	" e.onclick=function(){focus=x;draw()};g.appendChild(e)}\n"
	"$('what').textContent=D.type+' '+fmt(D.total)+' '+D.file;\n"
	"$('reset').onclick=function(){focus=root;draw()};\n"
	"$('turn').onclick=function(){if(root===down){up=up||weigh(turned(down));root=up}else root=down;"
	"this.textContent=root===down?'from callees up':'from callers down';focus=root;draw()};\n"
	"$('search').oninput=function(){try{rx=this.value?new RegExp(this.value):null;this.style.color=''}"
	"catch(e){rx=null;this.style.color='red'}draw()};\n"
	"window.onresize=draw;draw();\n"
	"</script></body></html>\n";

/* JSON whose "<" and "&" cannot end or begin anything in HTML. */
static void put_escaped(struct str *o, const struct str *json)
{
	size_t from = 0;

	for (size_t i = 0; i < json->n; i++) {
		char c = json->s[i];

		if (c != '<' && c != '>' && c != '&')
			continue;
		str_putn(o, json->s + from, i - from);
		str_printf(o, "\\u%04x", c);
		from = i + 1;
	}
	str_putn(o, json->s + from, json->n - from);
}

static void put_data(struct str *o, const struct pprof *p, const struct pprof_ask *q,
		     const struct pprof_flame *f)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_text(&j, "file", p->name);
	jw_kv_text(&j, "type", pprof_text(p, p->types.v[q->type].type));
	jw_kv_text(&j, "unit", pprof_text(p, p->types.v[q->type].unit));
	jw_kv_i64(&j, "total", f->total);
	jw_key(&j, "names");
	jw_array(&j);
	for (size_t i = 0; i < f->names.n; i++)
		jw_text(&j, f->names.v[i]);
	jw_end(&j, ']');
	jw_key(&j, "nodes");
	jw_array(&j);
	for (size_t i = 0; i < f->nodes.n; i++) {
		const struct pprof_flame_node *n = &f->nodes.v[i];

		jw_u64(&j, n->name);
		jw_u64(&j, n->depth);
		jw_i64(&j, n->self);
		jw_i64(&j, n->smaller);
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}

void html_pprof_flame(struct str *o, const struct pprof *p, const struct pprof_ask *q,
		      const struct pprof_flame *f)
{
	_cleanup_(str_deinit) struct str json = { 0 };

	put_data(&json, p, q, f);
	str_put(o, head);
	if (str_ok(&json))
		put_escaped(o, &json);
	else
		o->bad = true;
	str_put(o, tail);
}
