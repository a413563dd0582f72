using System.Text;
using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>One question and its scores, as <c>capability.jsonl</c> keeps it.</summary>
/// <param name="Task">The task.</param>
/// <param name="Id">The question's id.</param>
/// <param name="Context">Exactly what the model read, examples included.</param>
/// <param name="Continuations">Exactly what was scored after it.</param>
/// <param name="LogLikelihoods">Summed, natural log, one per continuation.</param>
/// <param name="Gold">The right one, from 0.</param>
/// <param name="Picked">The highest sum; the first of equals.</param>
/// <param name="PickedNormalized">The highest sum per byte of the choice; the first of equals.</param>
public sealed record ChoiceRecord(
    string Task, string Id, string Context, IReadOnlyList<string> Continuations, IReadOnlyList<double> LogLikelihoods,
    int Gold, int Picked, int PickedNormalized) : IKeyed
{
    [JsonIgnore]
    public string Key => $"{Task}/{Id}";
}

/// <summary>Accuracy by log-likelihood: the model picks the likeliest choice.</summary>
/// <remarks>
/// <code>acc = argmax_c Σ log p(c | context)      acc_norm = argmax_c Σ log p(c | context) / bytes(c)</code>
/// The space before a choice is scored and not counted among its bytes.
/// </remarks>
public static class MultipleChoice
{
    private const int Batch = 8;

    /// <summary>Accuracy on one task.</summary>
    /// <param name="Task">The task.</param>
    /// <param name="Accuracy">By the highest sum, Wilson's interval.</param>
    /// <param name="AccuracyNormalized">By the highest sum per byte, Wilson's interval.</param>
    /// <param name="N">Questions.</param>
    /// <param name="Shots">Examples before each question.</param>
    public sealed record Result(string Task, Interval Accuracy, Interval AccuracyNormalized, int N, int Shots);

    /// <summary>Scores the questions that <paramref name="store"/> lacks, then returns the accuracy over all.</summary>
    /// <param name="task">Its wording.</param>
    /// <param name="items">The questions.</param>
    /// <param name="model">Who scores.</param>
    /// <param name="store">Where each question goes as soon as it is scored.</param>
    /// <param name="examples">Placed before each question with their right answers, separated by blank lines.</param>
    public static Result Run(
        ChoiceTask task, IReadOnlyList<ChoiceItem> items, ILikelihood model, RecordStore<ChoiceRecord> store,
        IReadOnlyList<ChoiceItem>? examples = null, CancellationToken cancellation = default)
    {
        var shots = string.Concat((examples ?? []).Select(e => $"{task.Context(e)} {e.Choices[e.Gold]}\n\n"));
        foreach (var batch in items.Where(i => !store.Contains($"{task.Name}/{i.Id}")).Chunk(Batch))
        {
            cancellation.ThrowIfCancellationRequested();
            var requests = batch.SelectMany(item => item.Choices.Select(choice =>
                new LikelihoodRequest(shots + task.Context(item), " " + choice))).ToArray();
            var scores = model.Score(requests, cancellation);
            var next = 0;
            foreach (var item in batch)
            {
                double[] sums = [.. scores.Skip(next).Take(item.Choices.Count).Select(s => s.LogLikelihood)];
                store.Append(Record(task, item, shots, sums));
                next += item.Choices.Count;
            }
        }

        var asked = items.Select(i => $"{task.Name}/{i.Id}").ToHashSet();
        return Tabulate(task.Name, [.. store.Records.Where(r => asked.Contains(r.Key))], examples?.Count ?? 0);
    }

    /// <summary>Accuracy from scored questions.</summary>
    public static Result Tabulate(string task, IReadOnlyList<ChoiceRecord> records, int shots) => new(
        task,
        Wilson.Rate(records.Count(r => r.Picked == r.Gold), records.Count),
        Wilson.Rate(records.Count(r => r.PickedNormalized == r.Gold), records.Count),
        records.Count,
        shots);

    private static ChoiceRecord Record(ChoiceTask task, ChoiceItem item, string shots, double[] sums)
    {
        double[] perByte =
            [.. sums.Zip(item.Choices, (sum, choice) => sum / Math.Max(1, Encoding.UTF8.GetByteCount(choice)))];
        return new(
            task.Name, item.Id, shots + task.Context(item), [.. item.Choices.Select(c => " " + c)], sums, item.Gold,
            Likeliest(sums), Likeliest(perByte));
    }

    private static int Likeliest(double[] scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }
}
