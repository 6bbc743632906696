import { pictureInputs, pictureReader } from "../state/pictureInputs";
import { droppedOn, type DroppedPicture } from "../state/drops";
import { useEditor, type EditorState } from "../state/store";
import { say, sayCount } from "../words";
import { PictureChoices } from "./PictureChoices";
import { Question } from "./Question";

type Dropped = NonNullable<EditorState["dropped"]>;

/** Asks what pictures are for that were dropped: to open what they carry, or to be used themselves. */
export function DropQuestion({ dropped }: { readonly dropped: Dropped }) {
  const { pictures } = dropped;
  const [only] = pictures;
  if (only !== undefined && pictures.length === 1)
    return <OnePicture tab={dropped.tab} picture={only} />;
  return <SeveralPictures pictures={pictures} />;
}

function OnePicture({ tab, picture }: { readonly tab: string; readonly picture: DroppedPicture }) {
  const workflow = useEditor((state) => droppedOn(state, tab).workflow);
  const catalogue = useEditor((state) => state.catalogue);
  const { dismissDropped, openCarried, useDropped: use } = useEditor.getState();
  const choices = pictureInputs(workflow, catalogue);
  const [first] = choices;
  const mayAdd = pictureReader(catalogue) !== null;
  const text =
    picture.opening === null
      ? `${picture.why} ${say(mayAdd || first !== undefined ? "dropped.useInstead" : "dropped.noUse")}`
      : say("dropped.carries", { name: picture.file.name });
  return (
    <Question
      text={text}
      onClose={dismissDropped}
      more={
        choices.length > 1 && (
          <>
            <h3>{say("gallery.useWhere")}</h3>
            <PictureChoices choices={choices} onChoose={(choice) => void use(choice)} />
          </>
        )
      }
    >
      <button type="button" className="button bare" onClick={dismissDropped}>
        {say("tabs.cancel")}
      </button>
      {choices.length === 0 && mayAdd && (
        <button type="button" className="button" onClick={() => void use("new")}>
          {say("dropped.add")}
        </button>
      )}
      {choices.length === 1 && first !== undefined && (
        <button
          type="button"
          className="button"
          title={first.title}
          onClick={() => void use(first)}
        >
          {say("gallery.use")}
        </button>
      )}
      {picture.opening !== null && (
        <button type="button" className="button filled" data-first onClick={openCarried}>
          {say("dropped.open")}
        </button>
      )}
    </Question>
  );
}

function SeveralPictures({ pictures }: { readonly pictures: readonly DroppedPicture[] }) {
  const { dismissDropped, openCarried, sendDropped } = useEditor.getState();
  const carrying = pictures.filter(({ opening }) => opening !== null).length;
  const text = `${say("dropped.several", { count: pictures.length })} ${sayCount("dropped.oneCarries", "dropped.manyCarry", carrying)}`;
  return (
    <Question text={text} onClose={dismissDropped}>
      <button type="button" className="button bare" onClick={dismissDropped}>
        {say("tabs.cancel")}
      </button>
      <button type="button" className="button" onClick={() => void sendDropped()}>
        {say("dropped.send")}
      </button>
      {carrying > 0 && (
        <button type="button" className="button filled" data-first onClick={openCarried}>
          {sayCount("dropped.open", "dropped.openAll", carrying)}
        </button>
      )}
    </Question>
  );
}
