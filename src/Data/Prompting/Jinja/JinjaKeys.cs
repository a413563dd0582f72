namespace SafeLlama.Data;

/// <summary>Compares the keys of dictionaries: texts by their characters, numbers by their value.</summary>
internal sealed class JinjaKeys : IEqualityComparer<object>
{
    /// <summary>Stands for none, which is a key too.</summary>
    private static readonly object NoneKey = new();

    public static JinjaKeys Instance { get; } = new();

    /// <summary>A value as a key.</summary>
    /// <exception cref="JinjaFault">It cannot be one.</exception>
    public static object Checked(object? key) => key switch
    {
        null => NoneKey,
        MarkedText or long or double or bool => key,
        JinjaList { IsTuple: true } tuple when tuple.Items.All(IsScalar) => tuple,
        _ => throw new JinjaFault($"{PythonRules.TypeName(key)} cannot be a key of a dictionary"),
    };

    /// <summary>The value that a key stands for.</summary>
    public static object? Value(object key) => ReferenceEquals(key, NoneKey) ? null : key;

    public new bool Equals(object? x, object? y) => ReferenceEquals(x, y) || (x, y) switch
    {
        (MarkedText a, MarkedText b) => a.Value == b.Value,
        (JinjaList a, JinjaList b) => a.Items.Count == b.Items.Count
            && a.Items.Zip(b.Items).All(pair => Equals(Checked(pair.First), Checked(pair.Second))),
        _ when PythonNumbers.IsNumber(x) && PythonNumbers.IsNumber(y) => PythonNumbers.Compare(x!, y!) == 0,
        _ => false,
    };

    public int GetHashCode(object obj) => obj switch
    {
        MarkedText text => text.Value.GetHashCode(StringComparison.Ordinal),
        JinjaList list => list.Items.Count,
        _ when PythonNumbers.IsNumber(obj) => PythonNumbers.ToDouble(obj).GetHashCode(),
        _ => 0,
    };

    private static bool IsScalar(object? value) => value is null or MarkedText or long or double or bool;
}
