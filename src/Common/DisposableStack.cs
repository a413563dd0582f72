namespace SafeLlama.Common;

/// <summary>Things opened one after the other, closed in the reverse order.</summary>
/// <remarks>
/// <code>
/// using var opened = new DisposableStack();
/// var backend = opened.Add(Open());
/// return new Session(backend, …, opened.Release());    // from here the session closes them
/// </code>
/// </remarks>
public sealed class DisposableStack : IDisposable
{
    private Stack<IDisposable> _items = new();

    /// <summary>Keeps an opened thing and hands it back.</summary>
    public T Add<T>(T item)
        where T : IDisposable
    {
        _items.Push(item);
        return item;
    }

    /// <summary>Hands everything over to a new owner; nothing is left here to close.</summary>
    public DisposableStack Release()
    {
        var released = new DisposableStack { _items = _items };
        _items = new();
        return released;
    }

    public void Dispose()
    {
        while (_items.TryPop(out var item))
        {
            item.Dispose();
        }
    }
}
