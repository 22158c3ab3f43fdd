// List<T>: a doubly linked list through its elements (which derive from ListNode<T>): joining, leaving and moving cost
// a few pointers and no memory. An element is in at most one list, and leaves it when destroyed.
#pragma once

namespace freehold::gateway {

template <class T>
class List;

template <class T>
class ListNode {
 public:
  // Deleted, so nobody can call it: NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    before_->next_ = next_;
    next_->before_ = before_;
    next_ = before_ = nullptr;
  }

 private:
  friend T;
  friend class List<T>;
  ListNode() = default;

  ListNode* next_ = nullptr;
  ListNode* before_ = nullptr;
};

template <class T>
class List {
 public:
  List() { head_.next_ = head_.before_ = &head_; }
  ~List() {
    while (T* first = front()) first->ListNode<T>::unlink();
    head_.next_ = head_.before_ = nullptr;
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool empty() const { return head_.next_ == &head_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  T* back() const { return empty() ? nullptr : static_cast<T*>(head_.before_); }
  void push_front(T& element) { insert(element, head_, *head_.next_); }
  void push_back(T& element) { insert(element, *head_.before_, head_); }

 private:
  static void insert(ListNode<T>& node, ListNode<T>& before, ListNode<T>& after) {
    node.unlink();
    node.before_ = &before;
    node.next_ = &after;
    before.next_ = &node;
    after.before_ = &node;
  }

  ListNode<T> head_;
};

}  // namespace freehold::gateway
