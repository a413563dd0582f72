using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Finds the prompts that a file's rows answer, and counts what does not match.</summary>
/// <remarks>
/// A row that names suite and id is matched by both. Otherwise its exact text decides, and its id decides between
/// prompts of equal text. A text that no suite has is matched by an id that only one prompt has. Answers without ids
/// are assigned to prompts of equal text in the file's order.
/// </remarks>
internal sealed class PromptFinder
{
    private readonly Dictionary<string, SuitePrompt> _byKey = new(StringComparer.Ordinal);
    private readonly ILookup<string, SuitePrompt> _byText;
    private readonly ILookup<string, SuitePrompt> _byId;
    private readonly Dictionary<string, int> _given = new(StringComparer.Ordinal);
    private readonly HashSet<string> _suites;

    public PromptFinder(IReadOnlyList<PromptSuite> suites)
    {
        SuitePrompt[] prompts = [.. suites.SelectMany(s => s.Prompts)];
        foreach (var prompt in prompts)
        {
            _byKey[prompt.Key] = prompt;
        }

        _byText = prompts.ToLookup(p => p.Text.Trim(), StringComparer.Ordinal);
        _byId = prompts.ToLookup(p => p.Id, StringComparer.Ordinal);
        _suites = [.. prompts.Select(p => p.Suite)];
    }

    /// <summary>Rows matched by their id although their text differs from the suite's.</summary>
    public int Reworded { get; private set; }

    /// <summary>Rows matched by their text although they name another suite or id.</summary>
    public int Renamed { get; private set; }

    /// <summary>Rows without an id that were assigned to prompts of equal text in order.</summary>
    public int SharedOut { get; private set; }

    /// <summary>The row's prompt; null where no suite has it.</summary>
    /// <exception cref="SafeLlamaException">Prompts of equal text differ otherwise, so the row may be any of
    /// them.</exception>
    public SuitePrompt? Find(ImportedRow row)
    {
        var text = row.Text.Trim();
        if (row.Id is not null && row.Suite is not null && _byKey.TryGetValue($"{row.Suite}/{row.Id}", out var named))
        {
            Reworded += named.Text.Trim() == text ? 0 : 1;
            return named;
        }

        SuitePrompt[] same = [.. _byText[text]];
        if (same.Where(p => p.Id == row.Id).ToArray() is [var one])
        {
            return one;
        }

        if (same.Length > 0)
        {
            Renamed += row.Id is not null || (row.Suite is not null && !_suites.Contains(row.Suite)) ? 1 : 0;
            return Share(row, same);
        }

        if (row.Id is not null && row.Suite is null && _byId[row.Id].ToArray() is [var only])
        {
            Reworded++;
            return only;
        }

        return null;
    }

    private SuitePrompt Share(ImportedRow row, SuitePrompt[] same)
    {
        if (same.Length == 1)
        {
            return same[0];
        }

        var first = same[0];
        if (same.FirstOrDefault(p => p.Label != first.Label || p.Surroundings != first.Surroundings) is { } other)
        {
            throw SafeLlamaException.InvalidData(
                $"{row.Place}: answers {first.Key} or {other.Key}, which have one text and differ otherwise; give the "
                + "row \"suite\" and \"id\".");
        }

        SharedOut++;
        var turn = _given[first.Text.Trim()] = _given.GetValueOrDefault(first.Text.Trim(), -1) + 1;
        return same[turn % same.Length];
    }
}
