package image
import ("testing";"os";"github.com/nxport/nxport/nx";"github.com/nxport/nxport/internal/machine")
func TestDbg(t *testing.T) {
	data,_ := os.ReadFile("/root/m/T/k/P60/P60.sys")
	m,_ := Parse("x",data)
	f := m.follower(nx.DDIs())
	rows := map[string]nx.DDI{}
	for _, d := range nx.DDIs() { rows[d.Name] = d }
	var wanted []uint32
	for _, v := range f.Imports { if rows[v.Name].Name != "" { wanted = append(wanted, v.Slot) } }
	for _, at := range f.references(addressesOf(wanted)) { r, ok := f.startOf(at); t.Logf("%x %v", at, ok); if ok { t.Logf(" %x", r.Start)} }
	r := f.routine(0x1000)
	r.Calls(func(s *machine.State, in *machine.Inst) { t.Logf("call %x %+v", in.At, s.Target(in)) })
}
