using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>
/// What a run leaves where an adapter learned: its PEFT files, the template its rows were put in, and a card.
/// </summary>
public static class AdapterFolder
{
    /// <summary>Writes the folder whole; one that is there already is the same and stays.</summary>
    /// <param name="baseModel">What the adapter's configuration names as its base.</param>
    /// <param name="template">How rows were put; null where they were running text.</param>
    /// <param name="card">Its model card; null for none.</param>
    /// <param name="view">Is told where the adapter changes nothing.</param>
    /// <returns>Whether it was written now.</returns>
    public static bool Save(
        LoraAdapter adapter, string path, string baseModel, PromptTemplate? template, string? card,
        ITrainingView view)
    {
        var written = AtomicFolder.Ensure(path, PeftFolder.WeightsName, partial =>
        {
            PeftFolder.Save(adapter, partial, baseModel);
            TemplateRecord.Save(partial, template);
            if (card is not null)
            {
                OutputFile.WriteText(Path.Combine(partial, ModelCard.FileName), card);
            }
        });
        if (adapter.ChangesNothing)
        {
            view.Note($"{path}: the adapter changes nothing: no step moved B. Train longer, or with fewer steps of "
                + "warm-up.");
        }

        return written;
    }
}
