# Commands at random, a line each, for ever, that meet others' on the same few names (tools/races): awk -v seed=N -f mix.awk
function any(list,  words, n) {
	n = split(list, words, " ")
	return words[int(rand() * n) + 1]
}

function ctr() { return any("a b c d e") }
function image() { return any("busybox busybox busybox i1 i2") }
function net() { return any("none none n n n m1 m2") }
function volume() { return any("v1 v2") }

function options(  o, n) {
	n = net()
	o = "--net " n
	if (rand() < 0.2)
		o = o " -v " volume() ":/v"
	if (rand() < 0.2)
		o = o " -v /anonymous"
	if (n != "none" && rand() < 0.2)
		o = o " -p 808" int(rand() * 3) ":80"
	if (rand() < 0.1)
		o = o " --userns auto"
	if (rand() < 0.2)
		o = o " -m 64m"
	return o
}

function life() { return any("--init --init --rm --restart=always --restart=on-failure:2") }
function process() { return any("sleep!1000 sleep!1000 sleep!0.2 true touch!/none/x nosuch touch!/file") }

function command() {
	return any("run run_d run_d run_d run_d create start start start stop stop kill rm rm rm_f rm_f restart pause unpause exec exec exec_d" \
		" commit import image_rm image_tag image_prune net_create net_rm net_prune connect connect disconnect reload" \
		" volume_create volume_rm volume_prune rename rename update gc gc ps inspect logs cp_in cp_out export diff stats top save load wait history")
}

function spell(c) {
	if (c == "run") return "ctr-run --rm " options() " " image() " " any("true sleep!0.2 nosuch touch!/none/x")
	if (c == "run_d") return "ctr-run -d --name " ctr() " " life() " " options() " " image() " " process()
	if (c == "create") return "ctr-create --name " ctr() " " options() " " image() " " process()
	if (c == "start") return "ctr-start " ctr()
	if (c == "stop") return "ctr-stop -t 1 " ctr() any(" !" ctr())
	if (c == "kill") return "ctr-kill " any("-s!KILL -s!TERM") " " ctr()
	if (c == "rm") return "ctr-rm -v " ctr()
	if (c == "rm_f") return "ctr-rm -f " ctr() " " ctr()
	if (c == "restart") return "ctr-restart -t 1 " ctr()
	if (c == "pause") return "ctr-pause " ctr()
	if (c == "unpause") return "ctr-unpause " ctr()
	if (c == "exec") return "ctr-exec " ctr() " " any("true sleep!0.1")
	if (c == "exec_d") return "ctr-exec -d " ctr() " sleep 1000"
	if (c == "commit") return "ctr-commit " ctr() " " any("i1 i2")
	if (c == "import") return "ctr-image import -i tree.tar " any("i1 i2")
	if (c == "image_rm") return "ctr-image rm " any("i1 i2")
	if (c == "image_tag") return "ctr-image tag " image() " " any("i1 i2")
	if (c == "image_prune") return "ctr-image prune"
	if (c == "net_create") return "ctr-net create " any("m1 m2")
	if (c == "net_rm") return "ctr-net rm " any("m1 m2")
	if (c == "net_prune") return "ctr-net ls"
	if (c == "connect") return "ctr-net connect " any("n m1 m2") " " ctr()
	if (c == "disconnect") return "ctr-net disconnect " any("n m1 m2") " " ctr()
	if (c == "reload") return "ctr-net reload"
	if (c == "volume_create") return "ctr-volume create " volume()
	if (c == "volume_rm") return "ctr-volume rm " volume()
	if (c == "volume_prune") return "ctr-volume ls"
	if (c == "rename") return "ctr-rename " ctr() " " ctr()
	if (c == "update") return "ctr-update -m " any("32m 64m") " " ctr()
	if (c == "gc") return "ctr-gc"
	if (c == "ps") return "ctr-ps -a"
	if (c == "inspect") return "ctr-inspect " ctr()
	if (c == "logs") return "ctr-logs " ctr()
	if (c == "cp_in") return "ctr-cp tree.tar " ctr() ":/" any("x y")
	if (c == "cp_out") return "ctr-cp " ctr() ":/etc/passwd -"
	if (c == "export") return "ctr-export " ctr()
	if (c == "diff") return "ctr-diff " ctr()
	if (c == "stats") return "ctr-stats --once"
	if (c == "top") return "ctr-top " ctr()
	if (c == "save") return "ctr-image save -o saved." seed " " image()
	if (c == "load") return "ctr-image load -i images.tar"
	if (c == "wait") return "timeout 1 ctr-wait " ctr()
	return "ctr-image history " image()
}

BEGIN {
	srand(seed)
	for (i = 0; i < 20; i++)
		rand() # near seeds begin alike
	for (;;) {
		line = rand() < 0.03 ? "own" : spell(command())
		gsub("!", " ", line)
		print line
	}
}
