// The chat's page: one WebSocket, opened again when it closes.
const state = document.getElementById("state"), said = document.getElementById("said");
const form = document.querySelector("form");
let socket;
function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/chat/socket`);
  socket.onopen = () => { state.textContent = "connected"; said.replaceChildren(); };
  socket.onclose = () => { state.textContent = "reconnecting"; setTimeout(connect, 1000); };
  socket.onmessage = (message) => {
    const line = document.createElement("li");
    line.textContent = message.data;
    said.prepend(line);
  };
}
connect();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.text.value && socket.readyState === WebSocket.OPEN) socket.send(form.text.value);
  form.reset();
});
