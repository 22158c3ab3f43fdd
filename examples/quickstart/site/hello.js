// Asks again and again, and says who answered: through a deploy, a rollback and a crash it should never say "failed".
const shown = document.getElementById("hello");
let asked = 0, failed = 0;
async function ask() {
  asked += 1;
  try {
    const answer = await fetch("/hello/", {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.status);
    const hello = await answer.json();
    shown.textContent = `“${hello.says}”, says ${hello.instance}, version ${hello.version}. ${asked} asked, ${failed} failed.`;
  } catch (error) {
    failed += 1;
    shown.textContent = `No answer (${error.message}). ${asked} asked, ${failed} failed.`;
  }
  setTimeout(ask, 500);
}
ask();
