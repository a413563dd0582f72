using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>
/// The roles tokens play, as <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
/// <c>added_tokens.json</c> give them.
/// </summary>
internal sealed class TokenNames
{
    private static readonly string[] Roles =
        ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

    /// <summary>Classes of transformers that put BOS themselves, whatever the post-processor says.</summary>
    private static readonly string[] BosByConfig =
    [
        "LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "CodeLlamaTokenizerFast", "GemmaTokenizer",
        "GemmaTokenizerFast",
    ];

    private readonly Dictionary<int, AddedToken> _added = [];
    private readonly Dictionary<string, string> _roles = [];
    private readonly HashSet<string> _special = new(StringComparer.Ordinal);
    private readonly HashSet<string> _placed = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];
    private string _where = "";
    private string? _class;
    private bool? _addsBos;
    private bool _addsEos;

    /// <summary>Tokens added after training, by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> Added => _added;

    /// <summary>Spellings that these files name as special: they are control tokens.</summary>
    public IReadOnlySet<string> Special => _special;

    /// <summary><c>add_prefix_space</c> of <c>tokenizer_config.json</c>; null where it is not said.</summary>
    public bool? AddsPrefixSpace { get; private set; }

    /// <summary>
    /// <c>legacy</c>: whether SentencePiece puts its space before every text, not only before the first.
    /// </summary>
    public bool IsLegacy { get; private set; } = true;

    /// <summary>What a user should know, a line each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The file that says most, for errors.</summary>
    public string Where => _where;

    public static TokenNames Read(string folder)
    {
        var names = new TokenNames { _where = Path.Combine(folder, "tokenizer_config.json") };
        names.ReadFile(names._where);
        names.ReadFile(Path.Combine(folder, "special_tokens_map.json"));
        if (names._added.Count == 0)
        {
            names.ReadAddedTokens(Path.Combine(folder, "added_tokens.json"));
        }

        return names;
    }

    /// <summary>The ids of BOS and EOS for a file that has no post-processor.</summary>
    /// <exception cref="SafeLlamaException">A named token is not in the vocabulary, or there is no EOS.</exception>
    public SequenceTokens Resolve(Vocabulary vocabulary, (int? Bos, int? Eos) otherwise)
    {
        NoteEos(_addsEos);
        return new SequenceTokens(
            _addsBos ?? true ? Bos(vocabulary, otherwise.Bos) : null, Eos(vocabulary, otherwise.Eos));
    }

    /// <summary>The ids of BOS and EOS for <c>tokenizer.json</c>, BOS as transformers would put it.</summary>
    /// <exception cref="SafeLlamaException">A named token is not in the vocabulary, or there is no EOS.</exception>
    public SequenceTokens Resolve(Vocabulary vocabulary, PostProcessorField processor)
    {
        var byConfig = BosByConfig.Contains(_class);
        NoteEos(byConfig ? _addsEos : processor.End is not null);
        if (!byConfig && _addsBos is { } adds && adds != processor.Begin is not null)
        {
            _notes.Add($"{_where}: \"add_bos_token\" is {(adds ? "true" : "false")}, but the post_processor of "
                + $"tokenizer.json puts {(adds ? "no token" : "one")} before a text, and that holds for "
                + $"{_class ?? "a file without tokenizer_class"}.");
        }

        if (processor.Begin is { } begin && (begin < 0 || begin >= vocabulary.Size))
        {
            throw SafeLlamaException.InvalidData(
                $"{_where}: the post_processor of tokenizer.json puts id {begin} before a text, which is no token. "
                + "Use the files of one model together.");
        }

        var bos = Bos(vocabulary, null);
        return new SequenceTokens(
            !byConfig ? processor.Begin : _addsBos ?? true ? bos : null, Eos(vocabulary, null));
    }

    /// <summary>Whether a special token is one that templates place: not padding, unknown and the like.</summary>
    public bool IsPlaced(string spelling) => _placed.Contains(spelling);

    private void NoteEos(bool adds)
    {
        if (adds)
        {
            _notes.Add(
                $"{_where}: the tokenizer would end every text with its end token; here only templates place it.");
        }
    }

    private int? Bos(Vocabulary vocabulary, int? otherwise) =>
        Find(vocabulary, "bos_token", otherwise, ["<s>", "<|begin_of_text|>"]);

    private int Eos(Vocabulary vocabulary, int? otherwise) =>
        Find(vocabulary, "eos_token", otherwise, ["</s>", "<|end_of_text|>"])
        ?? throw SafeLlamaException.InvalidData(
            $"{_where}: \"eos_token\" is missing and the vocabulary has neither </s> nor <|end_of_text|>; "
            + "a sequence needs an end. Add \"eos_token\" to the file.");

    private int? Find(Vocabulary vocabulary, string field, int? otherwise, string[] usual)
    {
        if (_roles.TryGetValue(field, out var named))
        {
            return vocabulary.TryMark(named, out var id) ? id : throw SafeLlamaException.InvalidData(
                $"{_where}: \"{field}\" is \"{UnicodeText.Shown(named)}\", which is no control token of the "
                + "vocabulary. Use the files of one model together.");
        }

        return otherwise
            ?? usual.Select(u => vocabulary.TryMark(u, out var id) ? id : null).FirstOrDefault(id => id is not null);
    }

    private void ReadFile(string file)
    {
        if (!File.Exists(file))
        {
            return;
        }

        ConfigField.Read(file, root =>
        {
            foreach (var role in Roles.Where(role => !root[role].IsMissing))
            {
                _special.Add(_roles[role] = _roles.GetValueOrDefault(role, Spelling(root[role])));
                if (role is "bos_token" or "eos_token")
                {
                    _placed.Add(_roles[role]);
                }
            }

            // A few files list them under names of their own, as an object; those are not read by transformers either.
            if (root["additional_special_tokens"].IsArray)
            {
                AddPlaced(root["additional_special_tokens"].Items());
            }

            // What transformers 5 writes instead; before that, an object of names of their own, which it does read.
            AddPlaced(root["extra_special_tokens"].IsArray
                ? root["extra_special_tokens"].Items()
                : root["extra_special_tokens"].Fields().Select(token => token.Value));
            if (root["fix_mistral_regex"].Flag(otherwise: false))
            {
                throw root["fix_mistral_regex"].Wrong(
                    "expected false: with it transformers divides words in another way than tokenizer.json says");
            }

            if (file == _where)
            {
                _class = root["tokenizer_class"].IsMissing ? null : root["tokenizer_class"].Text();
                _addsBos = FlagOrNull(root["add_bos_token"]);
                _addsEos = root["add_eos_token"].Flag(otherwise: false);
                IsLegacy = root["legacy"].Flag(otherwise: true);
                AddsPrefixSpace = FlagOrNull(root["add_prefix_space"]);
            }

            foreach (var (id, token) in root["added_tokens_decoder"].Fields())
            {
                var number = int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : throw token.Wrong("expected an id as its name");
                _added[number] = token.AddedToken(number, special: token["special"].Flag(otherwise: true));
            }

            return true;
        });
    }

    private void AddPlaced(IEnumerable<ConfigField> tokens)
    {
        var spellings = tokens.Select(Spelling).ToList();
        _special.UnionWith(spellings);
        _placed.UnionWith(spellings);
    }

    /// <summary>The older file: spellings and ids alone; special are those that have a role.</summary>
    private void ReadAddedTokens(string file)
    {
        if (File.Exists(file))
        {
            ConfigField.Read(file, root => root.Fields().Count(token =>
            {
                var (id, special) = (token.Value.Number(), _special.Contains(token.Name));
                return _added.TryAdd(id, new AddedToken(id, token.Name, special ? TokenKind.Control : TokenKind.Added)
                {
                    Normalized = !special,
                });
            }));
        }
    }

    private static bool? FlagOrNull(ConfigField field) => field.IsMissing ? null : field.Flag(otherwise: false);

    /// <summary>A token is named by its spelling, or by an object whose <c>content</c> is that.</summary>
    private static string Spelling(ConfigField token) => token.IsText ? token.Text() : token["content"].Text();
}
