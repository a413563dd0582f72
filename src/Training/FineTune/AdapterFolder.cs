using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>
/// What a run leaves where an adapter learned: its PEFT files, and the template its rows were put in.
/// </summary>
public static class AdapterFolder
{
    /// <summary>Writes the folder whole; one that is there already is the same and stays.</summary>
    /// <param name="baseModel">What the adapter's configuration names as its base.</param>
    /// <param name="template">How rows were put; null where they were running text.</param>
    /// <param name="view">Is told where the adapter changes nothing.</param>
    public static void Save(
        LoraAdapter adapter, string path, string baseModel, PromptTemplate? template, ITrainingView view)
    {
        AtomicFolder.Ensure(path, partial =>
        {
            PeftFolder.Save(adapter, partial, baseModel);
            TemplateRecord.Save(partial, template);
        });
        if (adapter.ChangesNothing)
        {
            view.Note($"{path}: the adapter changes nothing: no step moved B. Train longer, or with fewer steps of "
                + "warm-up.");
        }
    }
}
