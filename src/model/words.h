// A command as people write it, split into words the way a shell would, without a shell. Internal to model.
//
// Spaces separate; 'single' and "double" quotes and backslashes work as in sh. Words are templates (template.h): a
// dollar that was escaped by a backslash becomes `$$`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freehold::model {

struct Word {
  std::string text;
  size_t offset = 0;  // in the command, in bytes
  size_t length = 0;
};

struct WordsProblem {
  size_t offset = 0;
  size_t length = 0;
  std::string message;
  std::string hint;
};

struct Words {
  std::vector<Word> words;
  std::vector<WordsProblem> problems;
};

Words split_words(std::string_view command);

}  // namespace freehold::model
