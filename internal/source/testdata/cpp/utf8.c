// A byte order mark, and bytes above ASCII.
#define A(x) x "Ã¤" // ä
  A(1) grÃ¶ÃŸe /* ÿş */ B
#define Z Ã¤
Z end
