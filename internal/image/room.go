package image

import (
	"sync"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// room is what an image is judged with, and then the next one: the table of routines, and memory. What is said of an image holds on to
// nothing of it.
type room struct {
	table    []nx.DDI
	rows     map[string]nx.DDI // the table, by name
	byIndex  map[int]nx.DDI    // what of it is in the framework's table
	memory   *machine.Room
	index    index
	routines map[uint32]*machine.Routine
	slots    map[uint32]string
}

func newRoom(table []nx.DDI) *room {
	r := &room{
		table: table, rows: map[string]nx.DDI{}, byIndex: map[int]nx.DDI{}, memory: machine.NewRoom(),
		routines: map[uint32]*machine.Routine{}, slots: map[uint32]string{},
	}
	for _, d := range table {
		r.rows[d.Name] = d
		if d.Wdf > 0 {
			r.byIndex[d.Wdf] = d
		}
	}
	return r
}

var rooms sync.Pool

// enter gives an empty room for a table.
func enter(table []nx.DDI) *room {
	r, ok := rooms.Get().(*room)
	if !ok || len(r.table) != len(table) || len(table) > 0 && &r.table[0] != &table[0] {
		return newRoom(table)
	}
	return r
}

// leave makes the room that of another image, unless it has become larger than most need.
func (r *room) leave() {
	const manyBytes, many = 8 << 20, 1 << 11
	if r.memory.Size() > manyBytes || r.index.size() > manyBytes || len(r.routines)+len(r.slots) > many {
		return
	}
	r.memory.Empty()
	r.index.empty()
	clear(r.routines)
	clear(r.slots)
	rooms.Put(r)
}
