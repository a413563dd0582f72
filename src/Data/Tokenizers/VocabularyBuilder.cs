using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Collects tokens from a model's files.</summary>
internal sealed class VocabularyBuilder(string file)
{
    /// <summary>A bound on memory: more ids without a token are a broken file.</summary>
    private const int MostGaps = 65_536;

    private readonly SortedDictionary<int, (string Spelling, TokenKind Kind)> _tokens = [];
    private readonly Dictionary<string, int> _alsoText = new(StringComparer.Ordinal);

    /// <summary>The ids taken so far.</summary>
    public int Count => _tokens.Count;

    /// <exception cref="SafeLlamaException">The id has another token, or is negative.</exception>
    public void Add(int id, string spelling, TokenKind kind)
    {
        if (id < 0 || !_tokens.TryAdd(id, (spelling, kind)))
        {
            throw SafeLlamaException.InvalidData(
                $"{file}: \"{UnicodeText.Shown(spelling)}\" has id {id}, which is {(id < 0 ? "negative" : "taken")}. "
                + "Download the file again.");
        }
    }

    /// <summary>Adds a token of a later file, which may name one that is there to say what it is.</summary>
    /// <exception cref="SafeLlamaException">The id is there with another spelling.</exception>
    public void Overlay(int id, string spelling, TokenKind kind)
    {
        if (!_tokens.TryGetValue(id, out var known))
        {
            Add(id, spelling, kind);
        }
        else if (known.Spelling != spelling)
        {
            throw SafeLlamaException.InvalidData(
                $"{file}: id {id} is \"{UnicodeText.Shown(known.Spelling)}\" in the vocabulary and "
                + $"\"{UnicodeText.Shown(spelling)}\" among the added tokens. "
                + "Use the files of one model together.");
        }
        else if (known.Kind == TokenKind.Text)
        {
            _tokens[id] = (spelling, kind);
        }
    }

    /// <summary>Lets merges make an added token, by its spelling in the model's vocabulary.</summary>
    public void AddToText(string spelling, int id) => _alsoText.TryAdd(spelling, id);

    /// <exception cref="SafeLlamaException">There is no token, or a large part of the ids has none.</exception>
    public Vocabulary Build()
    {
        if (_tokens.Count == 0)
        {
            throw SafeLlamaException.InvalidData($"{file}: the vocabulary is empty. Download the file again.");
        }

        var last = _tokens.Keys.Last();
        if (last - _tokens.Count >= MostGaps)
        {
            var missing = Enumerable.Range(0, last).First(id => !_tokens.ContainsKey(id));
            var next = _tokens.Keys.First(id => id > missing);
            throw SafeLlamaException.InvalidData(
                $"{file}: id {missing} has no token, yet id {next} has, "
                + $"and so {last + 1 - _tokens.Count} ids have none; "
                + $"at most {MostGaps} are expected. Download the file again.");
        }

        return new Vocabulary(
            [.. Enumerable.Range(0, last + 1).Select(id => _tokens.GetValueOrDefault(id, ("", TokenKind.Gap)))],
            file,
            _alsoText);
    }
}
