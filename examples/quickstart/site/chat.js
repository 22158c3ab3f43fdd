// One WebSocket to /chat/socket. On a page with a form it also says things.
const state = document.getElementById("state"), said = document.getElementById("said");
const form = document.querySelector("form");
let socket;
function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/chat/socket`);
  const since = new Date().toLocaleTimeString();
  socket.onopen = () => { state.textContent = `connected since ${since}`; };
  socket.onclose = () => { state.textContent = "reconnecting"; setTimeout(connect, 1000); };
  socket.onmessage = (message) => {
    if (!said) { state.textContent = `connected since ${since}, ${message.data}`; return; }
    const line = document.createElement("li");
    line.textContent = message.data;
    said.prepend(line);
  };
}
connect();
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.text.value && socket.readyState === WebSocket.OPEN) socket.send(form.text.value);
  form.reset();
});
