using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>
/// The added tokens of <c>tokenizer.json</c> with what the files beside it say of them, under the ids that Hugging
/// Face's libraries give them.
/// </summary>
/// <remarks>
/// Those ids are not the ones in the list: a token that <c>model.vocab</c> holds has its id there, every other one the
/// next free id.
/// </remarks>
internal sealed class TokenizerJsonAdded
{
    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly string _file;
    private TokenizerJsonAdded(string file, ConfigField vocabulary)
    {
        _file = file;
        foreach (var (spelling, id) in vocabulary.Fields())
        {
            _vocabulary[spelling] = id.Number();
        }

    }

    public IReadOnlyDictionary<string, AddedToken> ByContent => _tokens;

    public IReadOnlyList<string> Notes => _notes;

    /// <exception cref="SafeLlamaException">A token is wrong, or another file contradicts it.</exception>
    public static TokenizerJsonAdded Read(string file, ConfigField root, TokenNames names)
    {
        var found = new TokenizerJsonAdded(file, root["model"]["vocab"]);
        var ids = new HashSet<int>();
        foreach (var token in root["added_tokens"].Items())
        {
            var id = token["id"].Number();
            if (!ids.Add(id))
            {
                throw token["id"].Wrong("expected an id no other added token has");
            }

            // transformers writes every field; the library refuses a list that lacks one.
            found.Add(token.AddedToken(id, token["special"].Flag(true)), token["content"]);
        }

        foreach (var (id, token) in names.Added.OrderBy(a => a.Key))
        {
            found.Overlay(id, token, names.Where);
        }

        found.MarkSpecial(names);
        return found;
    }

    private void Add(AddedToken token, ConfigField field)
    {
        if (token.Content.Length == 0 || _tokens.ContainsKey(token.Content))
        {
            throw field.Wrong("expected a spelling that is not empty and that no other added token has");
        }

        if (ByteTokens.IsByte(token.Content) && token.Kind == TokenKind.Added)
        {
            throw field.Wrong("expected no byte token among those that are found in a text");
        }

        if (_vocabulary.TryGetValue(token.Content, out var known) && known != token.Id)
        {
            throw SafeLlamaException.InvalidData(
                $"{_file}: \"{UnicodeText.Shown(token.Content)}\" has id {known} in model.vocab and id {token.Id} in "
                + "added_tokens. Use the files of one model together.");
        }

        Place(token, _file);
    }

    /// <summary>The token under the id it gets, which is the next where <c>model.vocab</c> lacks it.</summary>
    private void Place(AddedToken token, string where)
    {
        var last = _tokens.Values.Select(added => added.Id).DefaultIfEmpty(-1).Max();
        var id = _vocabulary.TryGetValue(token.Content, out var known) ? known
            : last >= _vocabulary.Count ? last + 1 : _vocabulary.Count;
        if (id != token.Id)
        {
            _notes.Add(
                $"{where}: \"{UnicodeText.Shown(token.Content)}\" is listed with id {token.Id}, but gets id {id}, the "
                + "next free one, as Hugging Face's libraries give it.");
        }

        _tokens[token.Content] = token with { Id = id };
    }

    private void Overlay(int id, AddedToken token, string where)
    {
        if (_tokens.TryGetValue(token.Content, out var known))
        {
            // The list may hold another id than the token got; the two files then agree all the same.
            _tokens[token.Content] = token with { Id = known.Id };
        }
        else if (token.Content.Length == 0 || ByteTokens.IsByte(token.Content))
        {
            throw SafeLlamaException.InvalidData(
                $"{where}: \"added_tokens_decoder.{id}\" is \"{UnicodeText.Shown(token.Content)}\", which is empty or "
                + "a byte token. Use the files of one model together.");
        }
        else
        {
            Place(token, where);
        }

        var other = _tokens.Values.FirstOrDefault(t => t.Id == id && t.Content != token.Content)?.Content
            ?? _vocabulary.FirstOrDefault(v => v.Value == id && v.Key != token.Content).Key;
        if (other is not null)
        {
            throw SafeLlamaException.InvalidData(
                $"{_file}: id {id} is \"{UnicodeText.Shown(other)}\" in the vocabulary and "
                + $"\"{UnicodeText.Shown(token.Content)}\" in {where}. Use the files of one model together.");
        }
    }

    /// <summary>
    /// A token that has a role is special, whatever its own entry says. Padding and the like may be a piece of text:
    /// that one is still found.
    /// </summary>
    private void MarkSpecial(TokenNames names)
    {
        foreach (var spelling in names.Special)
        {
            if (_tokens.TryGetValue(spelling, out var token))
            {
                _tokens[spelling] = token with { Kind = TokenKind.Control };
            }
            else if (_vocabulary.TryGetValue(spelling, out var id))
            {
                var kind = names.IsPlaced(spelling) ? TokenKind.Control : TokenKind.Added;
                _tokens[spelling] = new AddedToken(id, spelling, kind);
            }
            else
            {
                _notes.Add(
                    $"{names.Where}: names \"{UnicodeText.Shown(spelling)}\", which the tokenizer does not have; it "
                    + "stays text.");
            }
        }
    }
}
