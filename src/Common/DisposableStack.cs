namespace SafeLlama.Common;

/// <summary>Holds resources in the order they were opened, and closes them in the reverse order.</summary>
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

    /// <summary>Keeps an opened resource and returns it.</summary>
    public T Add<T>(T item)
        where T : IDisposable
    {
        _items.Push(item);
        return item;
    }

    /// <summary>Moves everything to a new owner; this stack then closes nothing.</summary>
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
