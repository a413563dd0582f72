namespace SafeLlama.Data;

/// <summary>A row that asks what an earlier row asked already.</summary>
/// <param name="Id">The later row.</param>
/// <param name="Of">The first row with the same normalized question.</param>
/// <param name="SameAnswer">True where the answers are the same too.</param>
public sealed record Duplicate(string Id, string Of, bool SameAnswer);

/// <summary>Finds rows whose questions say the same to the letter (<see cref="NormalizedText"/>).</summary>
public static class Duplicates
{
    /// <summary>The rows that are first to ask, and the others.</summary>
    /// <param name="rows">Rows in order; the first of equals stays.</param>
    /// <param name="seen">Normalized questions asked before, with the row that did; the new ones are added.</param>
    public static (IReadOnlyList<TrainingExample> Distinct, IReadOnlyList<Duplicate> Duplicates) Split(
        IEnumerable<TrainingExample> rows, IDictionary<string, TrainingExample>? seen = null)
    {
        seen ??= new Dictionary<string, TrainingExample>(StringComparer.Ordinal);
        var (distinct, duplicates) = (new List<TrainingExample>(), new List<Duplicate>());
        foreach (var row in rows)
        {
            var question = NormalizedText.Of(row.Question);
            if (question.Length > 0 && seen.TryGetValue(question, out var first))
            {
                duplicates.Add(new Duplicate(row.Id, first.Id, row.Answer == first.Answer));
                continue;
            }

            seen[question] = row;
            distinct.Add(row);
        }

        return (distinct, duplicates);
    }
}
