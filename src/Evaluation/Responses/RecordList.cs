namespace SafeLlama.Evaluation;

/// <summary>Records in the order of writing, one per key; a later record replaces a provisional one.</summary>
internal sealed class RecordList<T>
    where T : class, IKeyed
{
    private readonly List<T> _records = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public IReadOnlyList<T> All => _records;

    public T? Find(string key) => _places.TryGetValue(key, out var place) ? _records[place] : null;

    /// <summary>False where a final record has this key.</summary>
    public bool Add(T record)
    {
        if (_places.TryAdd(record.Key, _records.Count))
        {
            _records.Add(record);
            return true;
        }

        var place = _places[record.Key];
        if (_records[place] is not IProvisional { IsProvisional: true })
        {
            return false;
        }

        _records[place] = record;
        return true;
    }
}
