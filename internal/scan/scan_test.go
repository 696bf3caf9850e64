package scan

import (
	"fmt"
	"testing"

	"github.com/nxport/nxport/nx"
)

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		asked   []nx.Version
		minimum nx.Version
		want    string
	}{
		{nil, nx.Windows7, "[6.1 6.2 10.0]"},
		{nil, nx.WindowsVista, "[6.0 6.1 6.2 10.0]"},
		{nil, nx.Windows81, "[6.3 10.0]"},
		{nil, nx.Version{Major: 10, Build: 19041}, "[10.0.19041]"},
		{[]nx.Version{nx.Windows10, nx.Windows7, nx.Windows10}, nx.Windows7, "[6.1 10.0]"},
		{[]nx.Version{nx.Windows7}, nx.Windows8, "[]"},
	} {
		if got := fmt.Sprint(versions(tt.asked, tt.minimum)); got != tt.want {
			t.Errorf("asked for %v, minimum %s: %s, want %s", tt.asked, tt.minimum, got, tt.want)
		}
	}
}
