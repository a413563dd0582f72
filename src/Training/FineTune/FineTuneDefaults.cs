using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>Defaults that follow from what is given.</summary>
public static class FineTuneDefaults
{
    /// <summary>
    /// A micro-batch that nobody asked for becomes the largest that is no larger and divides the batch.
    /// </summary>
    public static void Settle(SettingTable<FineTuneRequest> settings)
    {
        var r = settings.Value;
        if (settings.IsGiven(nameof(r.MicroBatch)) || r.BatchSize < 1 || r.BatchSize % r.MicroBatch == 0)
        {
            return;
        }

        var fitting = Enumerable.Range(1, r.MicroBatch).Last(rows => r.BatchSize % rows == 0);
        settings.Apply([KeyValuePair.Create(
            SettingText.NameOf(nameof(r.MicroBatch)),
            settings[nameof(r.MicroBatch)] with { Value = fitting.ToString(CultureInfo.InvariantCulture) })]);
    }

    /// <summary>What was settled, a line each.</summary>
    public static IEnumerable<string> Notes(SettingTable<FineTuneRequest> settings)
    {
        var (r, otherwise) = (settings.Value, new FineTuneRequest().MicroBatch);
        if (!settings.IsGiven(nameof(r.MicroBatch)) && r.MicroBatch != otherwise && r.BatchSize % otherwise != 0)
        {
            yield return $"Micro-batches of {r.MicroBatch} rows: of the sizes up to {otherwise}, the largest that "
                + $"divides a batch of {r.BatchSize}.";
        }
    }
}
