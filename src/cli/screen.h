// Screen: a block of lines on a terminal that is drawn again in its place.
//
// Plain relative movement, so what stood above stays, the cursor rests below the block at all times, and whoever ends
// us leaves a terminal that needs no repair. Lines must fit the width that size() gave; after the window became
// narrower, terminals that wrap what stands there are counted with. One thread.
#pragma once

#include <string>
#include <vector>

namespace freehold::cli {

struct Size {
  size_t columns = 80;
  size_t rows = 24;
};

class Screen {
 public:
  // Standard output is a terminal that can move its cursor (TERM is neither empty nor "dumb").
  static bool is_there();
  static Size size();
  // How wide text that is broken into lines may be: what COLUMNS says, else the terminal's width, 80 where there is
  // none; between 40 and 120, for reading.
  static size_t text_columns();

  void draw(std::vector<std::string> lines);
  // What is drawn stays; the next block is drawn below.
  void leave() { lines_.clear(); }

 private:
  std::vector<std::string> lines_;
};

// Moves from below `drawn`, in a window that is `columns` wide now, and puts `lines` there.
std::string redraw(const std::vector<std::string>& drawn, const std::vector<std::string>& lines, size_t columns);

}  // namespace freehold::cli
